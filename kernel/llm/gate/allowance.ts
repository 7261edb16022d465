import type { ErrorCode } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { BreakerState } from "./breaker.ts";
import type { Credits, HeardOutcome, LeaseReply, LeaseRequest } from "./lease.ts";
import { type CallOutcome, isFailure } from "./outcome.ts";

/**
 * A holder's side of the gate: its slice of one vendor account, in memory. While a lease is under way there is no slice, so
 * nothing is spent twice; a slice that was lost with its holder's memory counts as spent, and ends by itself.
 */

/** What the holder knows about its own calls. */
export interface Usage {
  inUse: number;
  inUseOfEpoch: number;
  waiting: number;
  callTokens: number;
}

const NOTHING: Credits = { calls: 0, tokens: 0 };

export class Allowance {
  #calls = 0;
  #credits: LeaseReply["credits"] = NOTHING;
  #creditsUntil = 0;
  #expiresAt = 0;
  #renewAt = 0;
  #askAt = 0;
  #askedAt = 0;
  /** When a call last began. */
  #usedAt = 0;
  #epoch: number;
  #state: BreakerState["state"] = "closed";
  #cause: ErrorCode | null = null;
  #begun: Credits = NOTHING;
  #outcomes: HeardOutcome[] = [];

  /** `epoch`: the newest in which a call began that is still under way, for a holder that forgot all else. */
  constructor(epoch = 0) {
    this.#epoch = epoch;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** The vendor's failure for which nothing is lent, or null. */
  get cause(): ErrorCode | null {
    return this.#cause;
  }

  /** When there is more to be had, perhaps. */
  get askAt(): number {
    return this.#askAt;
  }

  /** Whether one more call may begin beside `inUse` others. */
  has(inUse: number, tokens: number, now: number): boolean {
    if (now >= this.#expiresAt || inUse >= this.#calls) return false;
    const { calls, tokens: left } = this.#credits;
    if (calls === null && left === null) return true;
    return now < this.#creditsUntil && (calls === null || calls >= 1) && (left === null || left >= tokens);
  }

  /** Whether a call that was promised in `epoch` may still begin. */
  stands(epoch: number, now: number): boolean {
    return epoch === this.#epoch && now < this.#expiresAt;
  }

  /** A call begins. Answers its epoch. */
  take(tokens: number, now: number): number {
    this.#usedAt = now;
    const { calls, tokens: left } = this.#credits;
    this.#credits = { calls: calls === null ? null : calls - 1, tokens: left === null ? null : left - tokens };
    this.#begun = { calls: this.#begun.calls + 1, tokens: this.#begun.tokens + tokens };
    return this.#epoch;
  }

  /** How a call ended. True when the gate should hear of it at once: then nothing is lent until it has. */
  note(outcome: CallOutcome, epoch: number, now: number): boolean {
    if (this.#outcomes.length < LIMITS.slotsPerTenant) this.#outcomes.push({ ...outcome, epoch });
    if (!isFailure(outcome) && this.#state === "closed") return false;
    this.#askAt = now;
    this.#expiresAt = 0;
    return true;
  }

  /** The gate said that the vendor's state has changed: the slice is void. `cause` null = the vendor is there again. */
  revoke(retryMs: number, cause: ErrorCode | null, now: number): void {
    this.#expiresAt = 0;
    this.#askAt = now + retryMs;
    this.#cause = cause ?? this.#cause;
  }

  /** Nobody is left who waits for the vendor. */
  calm(): void {
    this.#cause = null;
  }

  /** What the next lease says. The slice ends here; `renewed` or `refused` must follow. */
  request(usage: Usage): Omit<LeaseRequest, "tenant" | "holder"> {
    const { calls, tokens } = this.#credits;
    const said = {
      ...usage,
      epoch: this.#epoch,
      begun: this.#begun,
      unspent: { calls: Math.max(0, calls ?? 0), tokens: Math.max(0, tokens ?? 0) },
      outcomes: this.#outcomes,
    };
    this.#begun = NOTHING;
    this.#credits = NOTHING;
    this.#outcomes = [];
    this.#expiresAt = 0;
    return said;
  }

  /** `askedAt` is when the question left: whatever the way took is off the slice. Answers whether the vendor is there again. */
  renewed(reply: LeaseReply, askedAt: number, now: number): boolean {
    const wasDown = this.#cause !== null;
    this.#askedAt = askedAt;
    this.#calls = reply.calls;
    this.#credits = reply.credits;
    this.#creditsUntil = askedAt + LIMITS.gateCreditMs;
    this.#expiresAt = askedAt + reply.sliceMs;
    this.#renewAt = askedAt + LIMITS.gateRenewMs;
    this.#askAt = now + reply.retryMs;
    this.#epoch = reply.epoch;
    this.#state = reply.state;
    this.#cause = reply.cause;
    return wasDown && reply.cause === null;
  }

  /** The gate did not answer: what it was told is told again, and what it may have lent counts as spent. */
  unanswered(request: Pick<LeaseRequest, "outcomes">, now: number): void {
    this.#outcomes = [...request.outcomes, ...this.#outcomes].slice(0, LIMITS.slotsPerTenant);
    this.#askedAt = now;
    this.#askAt = now + LIMITS.gateAskMs;
  }

  /**
   * When the gate is to be asked next, or null for never: a slice that nobody uses is given back. Not before `now`: whoever
   * forgot its slice over calls that are under way has asked for none yet, and its alarm cannot be set to the year 1970.
   */
  dueAt(usage: Usage, now: number): number | null {
    const at = this.#nextAt(usage, now);
    return at === null ? null : Math.max(at, now);
  }

  #nextAt({ inUse, waiting }: Usage, now: number): number | null {
    if (waiting > 0) return Math.max(this.#askAt, this.#askedAt + LIMITS.gateAskMs);
    if (inUse > 0) return this.#outcomes.some(isFailure) ? this.#askAt : Math.max(this.#renewAt, this.#askAt);
    if (this.#cause !== null) return this.#askAt;
    return this.#calls > 0 && this.#expiresAt > now ? Math.max(this.#askedAt, this.#usedAt) + LIMITS.gateIdleMs : null;
  }
}
