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

/** `keyId`: of this key instead of the whole tenant. */
export interface QuotasOf {
  keyId?: string;
}

/** Routes for the budgets of the caller's tenant, and of its keys. */
export class Quotas {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `GET /v1/quotas`: the budgets that are set. */
  get(of: QuotasOf = {}): Promise<TenantQuotas> {
    return this.#transport.json("/v1/quotas", { query: { ...of } });
  }

  /** `PUT /v1/quotas`: sets exactly these and removes the others. Agents that wait for a quota ask again. */
  set(quotas: QuotaLimits, of: QuotasOf = {}): Promise<TenantQuotas> {
    return this.#transport.json("/v1/quotas", { query: { ...of }, method: "PUT", body: { quotas } });
  }
}
