import { KernelBug } from "../errors.ts";
import type { Sql, SqlRow } from "../ports.ts";
import type { Effect } from "../syscall.ts";

/**
 * Calls in flight: the working memory of a step. A row is written before an effect and leaves in the transaction that
 * records the outcome, so after a crash the rows say exactly what was under way.
 */

/**
 * queued = to be run; running = its effect may be happening; waiting = a person answers; held = it runs only if a person says so;
 * parked = it may have had its
 * effect, and a person finds out; done = the outcome is here and
 * the rest of the step is not. A model call of the batch lane is `sent` while only the queue has it, and `claimed` when a
 * consumer may be making it; until then `deadline_at` says when something has to be done about it.
 */
export type PendingState = "queued" | "sent" | "claimed" | "running" | "waiting" | "held" | "parked" | "done";

export interface PendingCall extends SqlRow {
  call_id: string;
  /** The system call's name; `llm.complete` for a model call. */
  name: string;
  effect: Effect | "control" | "unknown";
  state: PendingState;
  message_id: string;
  step: number;
  tool_call_id: string | null;
  position: number;
  attempt: number;
  fence: number;
  input: string;
  /** JSON: of a queued call, a person's leave for its first attempt; of others, what their state says. */
  outcome: string | null;
  started_at: number;
  deadline_at: number;
}

export const MODEL_CALL = "llm.complete";

const PUT = `INSERT INTO pending (call_id, name, effect, state, message_id, step, tool_call_id, position, attempt, fence, input,
  outcome, started_at, deadline_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const GET = "SELECT * FROM pending WHERE call_id = ?";
const ALL = "SELECT * FROM pending ORDER BY position";
const START =
  "UPDATE pending SET state = 'running', effect = ?, attempt = attempt + 1, fence = ?, started_at = ?, deadline_at = ? WHERE call_id = ?";
const WAIT = "UPDATE pending SET state = 'waiting', effect = 'control', started_at = ? WHERE call_id = ?";
const SEND_AGAIN = "UPDATE pending SET attempt = attempt + 1, deadline_at = ? WHERE call_id = ? AND state = 'sent'";
const CLAIM = "UPDATE pending SET state = 'claimed', input = ?, deadline_at = ? WHERE call_id = ?";
const HOLD = "UPDATE pending SET state = 'held', outcome = ?, started_at = ?, deadline_at = ? WHERE call_id = ?";
const CONSENT = "UPDATE pending SET state = 'queued', outcome = ? WHERE call_id = ? AND state = 'held'";
const PARK = "UPDATE pending SET state = 'parked', outcome = ?, deadline_at = ? WHERE call_id = ?";
const DUE = "UPDATE pending SET deadline_at = ? WHERE call_id = ?";
const DONE = "UPDATE pending SET state = 'done', outcome = ? WHERE call_id = ?";
const KEEP = "UPDATE pending SET outcome = ? WHERE call_id = ? AND state = 'running'";
const REQUEUE = "UPDATE pending SET state = 'queued', outcome = NULL WHERE call_id = ?";
const DELETE = "DELETE FROM pending WHERE call_id = ?";
const CLEAR = "DELETE FROM pending";

export class PendingCalls {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  put(call: PendingCall): void {
    this.#sql.run(
      PUT,
      call.call_id,
      call.name,
      call.effect,
      call.state,
      call.message_id,
      call.step,
      call.tool_call_id,
      call.position,
      call.attempt,
      call.fence,
      call.input,
      call.outcome,
      call.started_at,
      call.deadline_at,
    );
  }

  get(callId: string): PendingCall | null {
    return this.#sql.first<PendingCall>(GET, callId) ?? null;
  }

  /** The model call that is in the hands of the queue or its consumer, or null. */
  away(): PendingCall | null {
    return this.all().find((call) => call.state === "sent" || call.state === "claimed") ?? null;
  }

  /** In the order in which the model asked for them; the model call itself first. */
  all(): PendingCall[] {
    return this.#sql.all<PendingCall>(ALL);
  }

  /** Before an effect: counts the attempt. */
  start(callId: string, effect: Effect, fence: number, now: number, deadlineAt: number): void {
    this.#sql.run(START, effect, fence, now, deadlineAt, callId);
  }

  /** Another message for a call that nobody claimed. */
  sendAgain(callId: string, deadlineAt: number): void {
    this.#sql.run(SEND_AGAIN, deadlineAt, callId);
  }

  /** A consumer has the call until `deadlineAt`. */
  claim(callId: string, input: string, deadlineAt: number): void {
    this.#sql.run(CLAIM, input, deadlineAt, callId);
  }

  /** Whatever the call waited for until its `deadline_at` has to be looked at by `at`. */
  due(callId: string, at: number): void {
    this.#sql.run(DUE, at, callId);
  }

  /** A person has to answer first. */
  wait(callId: string, now: number): void {
    this.#sql.run(WAIT, now, callId);
  }

  /** It runs only with a person's leave, asked for `why` from now until `deadlineAt`. */
  hold(callId: string, why: string, now: number, deadlineAt: number): void {
    this.#sql.run(HOLD, why, now, deadlineAt, callId);
  }

  /** A person's leave for a call that is held: it is to be run. */
  consent(callId: string, consent: string): void {
    this.#sql.run(CONSENT, consent, callId);
  }

  /** Nobody knows what became of it; `known` is what a person is told, until `deadlineAt`. */
  park(callId: string, known: string, deadlineAt: number): void {
    this.#sql.run(PARK, known, deadlineAt, callId);
  }

  /** Records the outcome, once. */
  done(callId: string, outcome: string): void {
    if (this.get(callId)?.state === "done") throw new KernelBug(`${callId} has its outcome already`);
    this.#sql.run(DONE, outcome, callId);
  }

  /** What has come so far of the reply of a running model call. Nothing happens when it is not running any more. */
  keepPartial(callId: string, partial: string): void {
    this.#sql.run(KEEP, partial, callId);
  }

  /** Its effect may be repeated: run it again. */
  requeue(callId: string): void {
    this.#sql.run(REQUEUE, callId);
  }

  delete(callId: string): void {
    this.#sql.run(DELETE, callId);
  }

  /** Ends the step: nothing of it is under way any more. */
  clear(): void {
    this.#sql.run(CLEAR);
  }
}
