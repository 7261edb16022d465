import { Door } from "../door.ts";
import { LIMITS } from "../limits.ts";
import { awaitCall } from "./batch-step.ts";
import { dueAt } from "./due.ts";
import { hearCore } from "./meters.ts";
import { modelStep } from "./model-step.ts";
import type { Next } from "./next.ts";
import type { AgentParts } from "./parts.ts";
import { recover } from "./recovery.ts";
import { reportOf } from "./report.ts";
import { actOnPending } from "./signals.ts";
import { toolStep } from "./tool-step.ts";
import { EXIT, endTurn, failed, rest, startTurn, terminate } from "./turn.ts";

/**
 * The loop of an agent: take mail, assemble the prompt, call the model, run its tools, settle, again. It runs in slices,
 * and only inside the object's `alarm()`, so that at most one runs and a crash brings it back.
 *
 * All of its state stands in SQLite: whatever ends a slice between two steps, the next one goes on from the tables.
 */
export class AgentLoop {
  readonly door: Door;
  readonly #parts: AgentParts;
  #abort = new AbortController();
  /** Reclaim is not tried before, in milliseconds since the epoch. */
  #reclaimAt = 0;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.door = new Door(parts);
  }

  /** Ends what the slice is waiting for; its outcome touches nothing. */
  abort(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  /**
   * Works until there is nothing to do or the slice is over, tells the core, and sets the one alarm (or none). When the slice
   * before died (`retried`), the core hears first that there is work: the platform gives an alarm up that died too often, and
   * then only the core can revive the process.
   */
  async slice(retried = false): Promise<void> {
    const { tx, process, clock } = this.#parts;
    const end = clock.now() + LIMITS.sliceMs;
    tx.run(() => {
      process.change({ fence: process.get().fence + 1 });
      recover(this.#parts, this.door);
    });
    if (retried) await this.tellCore();
    while (clock.now() < end && (await this.#advance()) === "again");
    const told = await this.tellCore();
    this.#parts.alarm.set(told ? this.nextAlarm() : clock.now() + LIMITS.backoffBaseMs);
  }

  /** When the loop has to run again, in milliseconds since the epoch; null = an idle process needs no alarm. */
  nextAlarm(): number | null {
    const row = this.#parts.process.get();
    const now = this.#parts.clock.now();
    if (row.exported_seq < this.#parts.log.head().seq) return now;
    if (row.state === "terminated") return null;
    // The prompt of a call in the queue stays as it was sent: reclaim waits for the outcome.
    if (this.#parts.context.needsReclaim() && this.#parts.pending.away() === null)
      return Math.max(now, this.#reclaimAt);
    return dueAt(this.#parts);
  }

  async #advance(): Promise<Next> {
    const { tx, process, context, pending } = this.#parts;
    if (tx.run(() => this.#endIfDue())) return "rest";
    const away = pending.away();
    if (away === null && context.needsReclaim()) await this.#reclaim();
    const row = process.get();
    if (row.state === "stopped" || row.state === "terminated") return "rest";
    if (row.retry_at !== null && row.retry_at > this.#parts.clock.now()) return "rest";
    if (away !== null) return await awaitCall(this.#parts, away);
    const short = row.state === "waiting" && row.wait_reason === "quota";
    if (pending.all().length > 0) return short ? "rest" : await toolStep(this.#parts, this.door, this.#abort.signal);
    if (row.turn_message_id === null) return tx.run(() => this.#nextTurn());
    if (short) return "rest";
    if (row.turn_step >= LIMITS.stepsPerTurn) return tx.run(() => this.#tooManySteps());
    return await modelStep(this.#parts, this.door, this.#abort.signal);
  }

  /** Memory that cannot be freed now, because nothing may leave or the store is down, stops no process: it is tried later. */
  async #reclaim(): Promise<void> {
    const { context, clock } = this.#parts;
    if (clock.now() < this.#reclaimAt) return;
    this.#reclaimAt = clock.now() + LIMITS.reclaimRetryMs;
    try {
      const { evicted, spilled } = await context.reclaim(this.#abort.signal);
      if (evicted + spilled > 0) this.#reclaimAt = 0;
    } catch (cause) {
      console.error("reclaim failed", cause);
    }
  }

  #endIfDue(): boolean {
    const { process, clock } = this.#parts;
    const row = process.get();
    if (row.state === "terminated") return true;
    if (row.deadline_at === null || row.deadline_at > clock.now()) return actOnPending(this.#parts);
    terminate(this.#parts, { code: EXIT.deadline, reason: "deadline" }, null);
    return true;
  }

  #nextTurn(): Next {
    if (startTurn(this.#parts)) return "again";
    rest(this.#parts);
    return "rest";
  }

  #tooManySteps(): Next {
    const message = `the turn took ${LIMITS.stepsPerTurn} steps without an answer; ask for less at a time`;
    endTurn(this.#parts, failed({ code: "quota_exceeded", message }));
    return "again";
  }

  /** Reports all that the core has not seen, and gives the slot back. False when the core did not answer. */
  async tellCore(): Promise<boolean> {
    for (let batch = 0; batch < LIMITS.exportBatches; batch++) {
      const { report, more } = reportOf(this.#parts);
      if (report.seq === this.#parts.process.get().exported_seq) return true;
      const reply = await this.#parts.core.settleAndGrant(report, null);
      if (reply === null) return false;
      hearCore(this.#parts, report.seq, reply.standing);
      if (!more) return true;
    }
    return true;
  }
}
