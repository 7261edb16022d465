import type { Quotas as QuotaLimits, QuotaName } from "../../../kernel/process/spec.ts";
import type { Transport } from "./transport.ts";

/** One budget as it stands. `used + reserved` never passes `limit` by a new call. */
export interface QuotaMeter {
  limit: number;
  used: number;
  /** Held by model calls that are under way. */
  reserved: number;
  per: "minute" | "hour" | "day" | "total";
}

export interface TenantQuotas {
  quotas: Partial<Record<QuotaName, QuotaMeter>>;
}

/** Routes for the budgets of the caller's tenant. */
export class Quotas {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `GET /v1/quotas`: the budgets that are set. */
  get(): Promise<TenantQuotas> {
    return this.#transport.json("/v1/quotas");
  }

  /** `PUT /v1/quotas`: sets exactly these and removes the others. Agents that wait for a quota ask again. */
  set(quotas: QuotaLimits): Promise<TenantQuotas> {
    return this.#transport.json("/v1/quotas", { method: "PUT", body: { quotas } });
  }
}
