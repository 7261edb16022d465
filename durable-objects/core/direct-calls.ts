import { err, ok, type Result } from "../../kernel/errors.ts";
import { TENANT } from "../../kernel/scheduler/budgets.ts";
import type { GrantRequest, Reservation, Settlement } from "../../kernel/scheduler/grant.ts";
import type { Scheduler } from "../../kernel/scheduler/scheduler.ts";
import type { Transactions } from "../../kernel/transactions.ts";

/**
 * Model calls that no process makes: a key's through the OpenAI-compatible front, a batch job's. They hold money like any
 * other call and no slot; whoever makes them settles them by call id, and one that nobody settles ends as `unknown`.
 */
export class DirectCalls {
  readonly #tx: Transactions;
  readonly #scheduler: Scheduler;

  constructor(tx: Transactions, scheduler: Scheduler) {
    this.#tx = tx;
    this.#scheduler = scheduler;
  }

  open(owner: string, request: GrantRequest): Result<Reservation> {
    const opened = this.#tx.run(() => this.#scheduler.openCall(owner, request));
    if (!("subject" in opened)) return ok(opened);
    const { subject, metric, limit, used, reserved } = opened;
    const whose = subject === TENANT ? "the tenant's" : `${subject}'s`;
    const message = `This call does not fit ${whose} budget of ${metric}: ${used} of ${limit} are used and ${reserved} are held by open calls. Raise it with PUT /v1/quotas, or ask for fewer output tokens.`;
    return err("quota_exceeded", message);
  }

  /** Answers the agents that waited for a budget and may ask again now. */
  settle(settlement: Settlement): string[] {
    return this.#tx.run(() => {
      if (this.#scheduler.ledger.get(settlement.callId) === null) return [];
      this.#scheduler.settle(settlement);
      return this.#scheduler.releaseQuotaWaiters();
    });
  }
}
