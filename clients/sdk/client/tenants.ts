import { everyItem } from "./listing.ts";
import type { Transport } from "./transport.ts";

/** Whose agents, keys and budgets they are. */
export interface Tenant {
  id: string;
  name: string;
  /** RFC 3339. */
  createdAt: string;
}

/** Routes for tenants. Only the bootstrap key makes and removes them. */
export class Tenants {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `POST /v1/tenants`. */
  create(name: string, options: { idempotencyKey?: string } = {}): Promise<Tenant> {
    const idempotencyKey = options.idempotencyKey ?? true;
    return this.#transport.json("/v1/tenants", { method: "POST", body: { name }, idempotencyKey });
  }

  /** `GET /v1/tenants`: all of them for the bootstrap key, its own for any other. */
  list(): AsyncGenerator<Tenant> {
    return everyItem(this.#transport, "/v1/tenants", {});
  }

  /** `DELETE /v1/tenants/{id}`. `conflict` while it has agents or live keys. */
  async remove(tenantId: string): Promise<void> {
    await this.#transport.json(`/v1/tenants/${encodeURIComponent(tenantId)}`, { method: "DELETE" });
  }
}
