import type { Quotas } from "../../kernel/process/spec.ts";
import type { Scheduler } from "../../kernel/scheduler/scheduler.ts";
import { meterOf } from "../../kernel/scheduler/standing.ts";
import type { TenantMeters } from "./rpc.ts";

/**
 * Budgets of single keys: what a key's own model calls, its batches, and all processes that it had spawned may use. Their
 * subject is `key:<id>`, beside the process, its ancestors and the tenant.
 */
export class KeyBudgets {
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  meters(key: string): TenantMeters {
    const rows = this.#scheduler.budgets.meters(key);
    const shown = rows.map((row) => {
      const { limit, used, reserved, per } = meterOf(this.#scheduler, row);
      return [row.metric, { limit, used, reserved, per }];
    });
    return { quotas: Object.fromEntries(shown) };
  }

  /** Sets what `quotas` names and removes the rest. A meter that is new begins with what the key has used and holds. */
  set(key: string, quotas: Quotas): void {
    const { budgets, ledger } = this.#scheduler;
    for (const { metric } of budgets.meters(key)) if (quotas[metric] === undefined) budgets.unset(key, metric);
    budgets.set(key, quotas, { held: ledger.heldByKey(key), usedSince: (at) => ledger.usedByKey(key, at) });
  }
}
