import type { Clock } from "../../kernel/ports.ts";
import type { QuotaName, Quotas } from "../../kernel/process/spec.ts";
import { type BudgetRow, TENANT } from "../../kernel/scheduler/budgets.ts";
import type { Scheduler } from "../../kernel/scheduler/scheduler.ts";
import { meterOf } from "../../kernel/scheduler/standing.ts";
import { RequestRates } from "./request-rates.ts";
import type { Admission, TenantMeters } from "./rpc.ts";

/**
 * The budgets of the tenant as a whole: model calls are reserved against them by the scheduler, requests are counted here.
 * The subject of both is `TENANT`; a key's own rate stands beside it.
 */

const RATE: QuotaName = "requestsPerMinute";

export class TenantBudgets {
  readonly #scheduler: Scheduler;
  readonly #rates: RequestRates;

  constructor(clock: Clock, scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.#rates = new RequestRates(clock);
  }

  meters(): TenantMeters {
    return { quotas: Object.fromEntries(this.#rows().map((row) => [row.metric, this.#meter(row)])) };
  }

  /** The limits alone. */
  limits(): Quotas {
    return Object.fromEntries(this.#rows().map(({ metric, limit, per }) => [metric, { limit, per }]));
  }

  /** Sets what `quotas` names and removes the rest. A meter that is new begins with what open calls hold. */
  set(quotas: Quotas): void {
    const { budgets, ledger, processes } = this.#scheduler;
    const before = this.#rows().map((row) => row.metric);
    for (const metric of before) if (quotas[metric] === undefined) budgets.unset(TENANT, metric);
    const usedSince = (at: number) => ({ ...processes.storedBelow(null), cpuMs: processes.cpuBelow(null, at) });
    budgets.set(TENANT, quotas, { held: ledger.held(), usedSince });
  }

  /** Counts one request of a key, against its own limit and the tenant's. Null when there is neither. */
  admit(keyId: string, requestsPerMinute: number | null): Admission | null {
    const shared = this.#rows().find((row) => row.metric === RATE);
    return this.#rates.admit([
      ...(requestsPerMinute === null ? [] : [{ subject: `key:${keyId}`, limit: requestsPerMinute }]),
      ...(shared === undefined ? [] : [{ subject: TENANT, limit: shared.limit }]),
    ]);
  }

  #rows(): BudgetRow[] {
    return this.#scheduler.budgets.meters(TENANT);
  }

  #meter(row: BudgetRow): TenantMeters["quotas"][string] {
    const { limit, used, reserved, per } = meterOf(this.#scheduler, row);
    if (row.metric !== RATE) return { limit, used, reserved, per };
    return { limit, used: this.#rates.count(TENANT), reserved: 0, per: "minute" };
  }
}
