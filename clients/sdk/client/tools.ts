import type { Listing } from "./listing.ts";
import type { Transport } from "./transport.ts";

/** A tool that models may be offered. */
export interface ToolInfo {
  name: string;
  description: string;
  /** What a process's level must allow. */
  capability: string;
  /** What running it twice would do: `pure`, `internal`, `idempotent`, `external`; `control` acts on the process itself. */
  effect: string;
  timeoutMs: number;
  /** JSON Schema of the arguments. */
  inputSchema: Record<string, unknown>;
}

/** The route for what models may be offered. */
export class Tools {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `GET /v1/tools`: all of them. */
  list(): Promise<Listing<ToolInfo>> {
    return this.#transport.json("/v1/tools");
  }
}
