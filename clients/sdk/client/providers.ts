import type { GateView } from "../../../kernel/llm/gate/lease.ts";
import type { Transport } from "./transport.ts";

/** A vendor of models, and how the operator's account with it stands. */
export interface ProviderView {
  name: string;
  /** Whether the operator gave a key or an address. */
  configured: boolean;
  /** `provider/model`. */
  models: string[];
  isDefault: boolean;
  /** Null for a provider that is not configured, and for the embedded one. */
  gate: GateView | null;
}

/** Routes for vendors of models. */
export class Providers {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `GET /v1/providers`: all that this kernel knows. */
  async list(): Promise<ProviderView[]> {
    const { items } = await this.#transport.json<{ items: ProviderView[] }>("/v1/providers");
    return items;
  }
}
