import { err, ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { OpenedCalls } from "../../kernel/llm/batch/job-parts.ts";
import type { Log } from "../../kernel/log/log.ts";
import { TENANT } from "../../kernel/scheduler/budgets.ts";
import type { CacheHit, GrantRequest, Reservation, Settlement } from "../../kernel/scheduler/grant.ts";
import type { Scheduler } from "../../kernel/scheduler/scheduler.ts";
import type { Transactions } from "../../kernel/transactions.ts";

/**
 * Model calls that no process makes: a key's through the OpenAI-compatible front, a batch job's. They hold money like any
 * other call and no slot; whoever makes them settles them by call id, and one that nobody settles ends as `unknown`.
 */
export class DirectCalls {
  readonly #tx: Transactions;
  readonly #log: Log;
  readonly #scheduler: Scheduler;

  constructor(tx: Transactions, log: Log, scheduler: Scheduler) {
    this.#tx = tx;
    this.#log = log;
    this.#scheduler = scheduler;
  }

  /** `epoch` counts the purges so far: whoever keeps the reply keeps it with that. */
  open(owner: string, request: GrantRequest, payer: string | null = null): Result<Reservation & { epoch: number }> {
    const opened = this.#tx.run(() => this.#scheduler.openCall(owner, request, payer));
    if (!("subject" in opened)) return ok({ ...opened, epoch: this.#scheduler.counters.get("cache.epoch") });
    const { subject, metric, limit, used, reserved } = opened;
    const whose = subject === TENANT ? "the tenant's" : `${subject}'s`;
    const message = `This call does not fit ${whose} budget of ${metric}: ${used} of ${limit} are used and ${reserved} are held by open calls. Raise it with PUT /v1/quotas, or ask for fewer output tokens.`;
    return err("quota_exceeded", message);
  }

  /** The same for the one call of a key's request, which the chain records. */
  openOne(owner: string, request: GrantRequest): ReturnType<DirectCalls["open"]> {
    return this.#tx.run(() => {
      const isNew = this.#scheduler.ledger.get(request.callId) === null;
      const opened = this.open(owner, request);
      const { provider, model, callId } = request;
      const facts = opened.ok
        ? { decision: "allowed", reservedNanoUsd: opened.value.reservedNanoUsd }
        : { decision: "denied", reason: opened.error.message };
      if (isNew) this.#log.append("call.direct", owner, { provider, model, ...facts }, callId);
      return opened;
    });
  }

  /** Enters a call that the reply cache answered; `conflict` when a purge has made the reply worthless. */
  hit(owner: string, hit: CacheHit): Result<null> {
    return this.#tx.run(() => {
      const { counters, ledger } = this.#scheduler;
      if (hit.epoch !== counters.get("cache.epoch")) return err("conflict", "The reply is from before a purge.");
      ledger.hit(owner, hit, counters.next("changed"));
      return ok(null);
    });
  }

  /** Makes every cached reply of the tenant worthless. */
  purge(): number {
    return this.#tx.run(() => this.#scheduler.counters.next("cache.epoch"));
  }

  /** Opens calls in order, in one transaction, up to the first that does not fit. */
  openAll(owner: string, requests: readonly GrantRequest[], payer: string): OpenedCalls {
    return this.#tx.run(() => {
      const opened: Reservation[] = [];
      for (const request of requests.slice(0, LIMITS.batchMoneyRows)) {
        const next = this.open(owner, request, payer);
        if (!next.ok) return { opened, refused: next.error };
        opened.push(next.value);
      }
      return { opened, refused: null };
    });
  }

  /** Answers the agents that waited for a budget and may ask again now. */
  settle(settlement: Settlement): string[] {
    return this.settleAll([settlement]);
  }

  /** Settles calls in one transaction; those that were never opened are let be. */
  settleAll(settlements: readonly Settlement[]): string[] {
    return this.#tx.run(() => {
      for (const settlement of settlements) {
        if (this.#scheduler.ledger.get(settlement.callId) !== null) this.#scheduler.settle(settlement);
      }
      return this.#scheduler.releaseQuotaWaiters();
    });
  }
}
