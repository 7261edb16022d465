import type { Listing } from "./listing.ts";
import type { Transport } from "./transport.ts";

/** A vendor of models that this kernel is configured for. */
export interface ProviderInfo {
  name: string;
  /** `provider/model` each. */
  models: string[];
  /** Whether agents that name no model use one of it. */
  isDefault: boolean;
}

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

/** Routes for what agents can use: models and tools. */
export class Devices {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `GET /v1/providers`: all of them, with their models. */
  providers(): Promise<Listing<ProviderInfo>> {
    return this.#transport.json("/v1/providers");
  }

  /** `GET /v1/tools`: all of them. */
  tools(): Promise<Listing<ToolInfo>> {
    return this.#transport.json("/v1/tools");
  }
}
