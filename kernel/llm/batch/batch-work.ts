import type { KernelError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import { Desk, stoppingOf } from "./desk.ts";
import { type ChatRest, hidden, unbilled } from "./driver.ts";
import type { JobParts } from "./job-parts.ts";
import { isFinal, type JobState, viewOf } from "./job-state.ts";
import type { JobRow } from "./job-tables.ts";
import { LotPlanner } from "./lot-planner.ts";
import type { LotRow } from "./lot-table.ts";
import { resultLine } from "./result-line.ts";
import { writeResults } from "./results.ts";

/**
 * The work of a batch job, in rounds: pay what is owed, end what is not wanted any more, bring each lot one step on, fill new
 * lots, and when every request has an outcome write the results. Every round begins from the tables and may be the last of
 * this life. Only the object's alarm runs it, so there is never more than one.
 */
export class BatchWork {
  readonly #parts: JobParts;
  readonly #planner: LotPlanner;

  constructor(parts: JobParts) {
    this.#parts = parts;
    this.#planner = new LotPlanner(parts);
  }

  /**
   * Works until nothing is due. Answers when something will be, or null when the job is over and listed. `signal` is asked
   * for at each step: it aborts what nobody wants any more.
   */
  async run(signal: () => AbortSignal): Promise<number | null> {
    const { clock, tables } = this.#parts;
    const end = clock.now() + LIMITS.batchSliceMs;
    for (let round = 0; round < LIMITS.batchRounds && clock.now() < end; round++) {
      const due = isFinal(tables.job().state) ? await this.#list() : await this.#round(signal);
      if (due === null || due > clock.now()) return due;
    }
    return clock.now();
  }

  async #round(signal: () => AbortSignal): Promise<number | null> {
    const { tables, clock } = this.#parts;
    const stopping = stoppingOf(this.#parts);
    if (tables.job().state === "queued") tables.change({ state: "validating" }, clock.now());
    if (!(await this.#pay())) return clock.now() + LIMITS.requeueMs;
    this.#endUnwanted();
    this.#planner.closeUnfilled();
    for (const lot of this.#dueLots()) await this.#advance(lot, signal());
    const refusedUntil = await this.#plan();
    if (!tables.hasUnfinished()) return this.#finish();
    await this.#list();
    if (stoppingOf(this.#parts) === stopping) return this.#due(refusedUntil);
    // It was stopped meanwhile: whoever works on it is told at once.
    tables.hurry();
    return clock.now();
  }

  /** Hands the outbox of bills to the core. False = it does not answer. */
  async #pay(): Promise<boolean> {
    const { tables, calls, tx } = this.#parts;
    for (;;) {
      const bills = tables.bills(LIMITS.batchMoneyRows);
      if (bills.length === 0) return true;
      const paid = await calls.settle(bills);
      if (paid === null || !paid.ok) return false;
      tx.run(() => tables.paid(bills));
    }
  }

  /** Ends requests that no lot has when the job stops: nothing was reserved for them. */
  #endUnwanted(): void {
    const why = stoppingOf(this.#parts);
    if (why !== null) this.#endOpen(unbilled(why), null);
  }

  /** Ends what is open, all of it or that of one model. */
  #endOpen(rest: ChatRest, model: string | null): void {
    const { tables, tx, clock } = this.#parts;
    for (;;) {
      const rows = tables.open(model, LIMITS.sweepRows);
      if (rows.length === 0) return;
      tx.run(() => {
        this.#notice(rest);
        for (const row of rows) {
          const facts = { callId: "", customId: row.custom_id, model: row.model, costNanoUsd: 0 };
          tables.end(row.position, resultLine(facts, rest));
        }
        tables.count({ completed: 0, failed: rows.length, costNanoUsd: 0 }, clock.now());
      });
    }
  }

  /** Every vendor's lot that is due, and one of the pool, whose step takes long. */
  #dueLots(): LotRow[] {
    const { tables, clock } = this.#parts;
    const due = tables.liveLots().filter((lot) => lot.due_at <= clock.now());
    const pooled = due.find((lot) => lot.driver === "pool");
    return due.filter((lot) => lot.driver === "vendor" || lot === pooled);
  }

  async #advance(row: LotRow, signal: AbortSignal): Promise<void> {
    const { tables, clock, drivers } = this.#parts;
    const pooled = row.driver === "pool" ? [row.provider] : [];
    const choice = drivers.of(row.model, pooled);
    if (!choice.ok) return tables.changeLot(row.lot, { due_at: clock.now() + LIMITS.batchQuotaMs });
    const desk = new Desk(this.#parts, row.lot, choice.value);
    if (this.#isOverdue()) return this.#close(desk, hidden("The vendor did not finish in time."));
    const progress = await choice.value.driver.advance(desk, signal);
    if (progress.kind === "wait") return tables.changeLot(row.lot, { due_at: clock.now() + progress.ms });
    if (progress.kind === "ended") return this.#close(desk, progress.rest);
    this.#pool(desk);
  }

  /** Why requests ended that nobody answered: it tells how the job as a whole does. */
  #notice({ error: { code, message } }: ChatRest): void {
    const { tables, clock } = this.#parts;
    tables.change({ error: JSON.stringify({ code, message }) }, clock.now());
  }

  #isOverdue(): boolean {
    const { tables, clock } = this.#parts;
    return clock.now() >= tables.job().expires_at + LIMITS.batchCollectMs;
  }

  /** Requests of the lot without an outcome get `rest`; then it is over. */
  #close(desk: Desk, rest: ChatRest): void {
    for (const state of ["reserved", "sent"] as const) {
      for (;;) {
        const left = desk.requests(state, -1, LIMITS.batchMoneyRows);
        if (left.length === 0) break;
        this.#notice(rest);
        desk.record(left.map(({ position }) => ({ position, outcome: rest })));
      }
    }
    desk.change({ state: "ended" });
  }

  /** The endpoint has no batch API: its reservations are given back, and the pool asks for its own. */
  #pool(desk: Desk): void {
    const { tables, tx, clock } = this.#parts;
    const pooled = JSON.parse(tables.job().pooled) as string[];
    tx.run(() => {
      for (;;) {
        const left = desk.requests("reserved", -1, LIMITS.batchMoneyRows);
        if (left.length === 0) break;
        for (const { position } of left) desk.retry({ position, outcome: unbilled("cancelled") }, 0);
      }
      tables.change({ pooled: JSON.stringify([...new Set([...pooled, desk.lot().provider])]) }, clock.now());
      desk.change({ state: "ended" });
    });
  }

  /** Fills lots as far as there is money. Answers when to ask for more, or null. */
  async #plan(): Promise<number | null> {
    const { tables, clock } = this.#parts;
    while (stoppingOf(this.#parts) === null) {
      const planned = await this.#planner.plan();
      if (planned.kind === "nothing") return null;
      if (planned.kind === "planned") {
        if (tables.job().error !== null) tables.change({ error: null }, clock.now());
        continue;
      }
      const { code, message } = planned.error;
      if (code === "unknown_model") {
        const rest: ChatRest = { ok: false, error: planned.error, retryable: false, billed: "none" };
        this.#endOpen(rest, tables.nextOpen(clock.now())?.model ?? "");
        continue;
      }
      if (tables.job().error === null)
        this.#notice({ ok: false, error: { code, message }, retryable: true, billed: "none" });
      return clock.now() + LIMITS.batchQuotaMs;
    }
    return null;
  }

  async #finish(): Promise<number | null> {
    const { tables, tx, clock } = this.#parts;
    if (!(await this.#pay())) return clock.now() + LIMITS.requeueMs;
    if (tables.job().state !== "cancelling") tables.change({ state: "finalizing" }, clock.now());
    while (await writeResults(this.#parts));
    tx.run(() => {
      const job = tables.job();
      const state = endOf(job);
      const error = state === "failed" || state === "expired" ? job.error : null;
      tables.change({ state, error, finished_at: clock.now() }, clock.now());
      tables.clear();
    });
    return this.#list();
  }

  /** Tells the list where the job is. */
  async #list(): Promise<number | null> {
    const { tables, list, clock } = this.#parts;
    const job = tables.job();
    if (job.unlisted === 0) return null;
    if (await list.note(viewOf(job))) {
      tables.listed(job.updated_at);
      return null;
    }
    return clock.now() + LIMITS.requeueMs;
  }

  #due(refusedUntil: number | null): number {
    const { tables, clock } = this.#parts;
    const stops = tables.job().expires_at;
    const times = [
      refusedUntil,
      refusedUntil === null ? tables.nextRetry() : null,
      ...tables.liveLots().map((lot) => (lot.state === "planned" ? null : lot.due_at)),
      tables.bills(1).length > 0 ? clock.now() : null,
      stops > clock.now() ? stops : null,
    ].filter((at) => at !== null);
    return Math.min(...times, clock.now() + LIMITS.batchPollMaxMs);
  }
}

/** How a job ends whose requests all have. */
function endOf({ state, error, completed }: JobRow): JobState {
  if (state === "cancelling") return "cancelled";
  if (error === null) return completed === 0 ? "failed" : "completed";
  const { code } = JSON.parse(error) as KernelError;
  if (code === "deadline_exceeded") return "expired";
  return completed === 0 ? "failed" : "completed";
}
