import { LIMITS } from "../../limits.ts";
import type { HeardOutcome } from "./lease.ts";
import { isFailure } from "./outcome.ts";

/**
 * The breaker of one vendor account, as a value and its transitions.
 *
 * closed: calls begin, except until `until`, when the vendor asked to wait. open: none begins until `until`. half-open: one
 * call is the probe, and its end decides. Every pause, opening and probe begins a new epoch, so that the late ends of calls that
 * began before do not count as news: of them only a `Retry-After` is heard.
 */
export interface BreakerState {
  state: "closed" | "open" | "half-open";
  epoch: number;
  /** Failures since the last success. */
  failures: number;
  /** Pauses since the last success: the next one is twice as long. */
  rounds: number;
  /** Milliseconds since the epoch. */
  until: number;
  /** The holder that has the probe. */
  probe: string | null;
}

export const CLOSED: BreakerState = { state: "closed", epoch: 1, failures: 0, rounds: 0, until: 0, probe: null };

/** The moment, and a number from 0 to 1 that spreads those who wait. */
export interface Moment {
  now: number;
  jitter: number;
}

/** After the end of a call. */
export function heard(breaker: BreakerState, outcome: HeardOutcome, moment: Moment): BreakerState {
  const stale = outcome.epoch !== breaker.epoch;
  if (!isFailure(outcome)) return stale || breaker.state === "open" ? breaker : closed(breaker);
  const until = Math.max(breaker.until, moment.now + (outcome.retryAfterMs ?? 0));
  if (stale || breaker.state === "open") return { ...breaker, until };
  const failures = breaker.failures + 1;
  if (breaker.state === "half-open" || failures >= LIMITS.breakerFailures)
    return { ...paused(breaker, until, outcome, moment), state: "open", failures, probe: null };
  if (outcome.sign === "limited") return { ...paused(breaker, until, outcome, moment), failures };
  return { ...breaker, failures, until };
}

/** Whether the probe may go to `holder` now. */
export function wantsProbe({ state, until, probe }: BreakerState, now: number): boolean {
  return now >= until && (state === "open" || (state === "half-open" && probe === null));
}

export function probing(breaker: BreakerState, holder: string): BreakerState {
  return { ...breaker, state: "half-open", epoch: breaker.epoch + 1, probe: holder };
}

/** The holder of the probe is gone, or has no call for it: the next one may have it. */
export function withoutProbe(breaker: BreakerState): BreakerState {
  return { ...breaker, probe: null };
}

function closed(breaker: BreakerState): BreakerState {
  const epoch = breaker.state === "closed" ? breaker.epoch : breaker.epoch + 1;
  const until = breaker.state === "closed" ? breaker.until : 0;
  return { ...CLOSED, epoch, until };
}

/** Exponential; half of it is jitter. A vendor that says how long is taken at its word. */
function paused(breaker: BreakerState, until: number, outcome: HeardOutcome, { now, jitter }: Moment): BreakerState {
  const ceiling = Math.min(LIMITS.breakerMaxMs, LIMITS.breakerBaseMs * 2 ** Math.min(breaker.rounds, 20));
  const backoffMs = outcome.sign === "limited" && outcome.retryAfterMs !== undefined ? 0 : ceiling * (0.5 + jitter / 2);
  return {
    ...breaker,
    epoch: breaker.epoch + 1,
    rounds: breaker.rounds + 1,
    until: Math.max(until, now + Math.ceil(backoffMs)),
  };
}
