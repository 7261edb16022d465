import type { ErrorCode } from "../../errors.ts";
import type { AccountLimits } from "./account-limits.ts";
import type { BreakerState } from "./breaker.ts";
import type { CallOutcome } from "./outcome.ts";

/**
 * What holders of allowance and the gate of an account say to each other. A holder is a tenant's core or a consumer of the
 * calls queue. It has one slice at a time: each lease takes the place of the one before, gives back what is unspent, and
 * brings what was heard of the vendor meanwhile. Durations cross, instants do not.
 */

/** The name of a tenant's core as a holder. */
export function coreHolder(tenant: string): string {
  return `core/${tenant}`;
}

/** How a call ended that began under the slice of `epoch`. */
export interface HeardOutcome extends CallOutcome {
  epoch: number;
}

/** What is spent or left of the allowance of a minute. */
export interface Credits {
  calls: number;
  tokens: number;
}

export interface LeaseRequest {
  tenant: string;
  /** Unique among all holders of the account; of one tenant there may be several. */
  holder: string;
  /** Calls under way. */
  inUse: number;
  /** Those of them that began in `epoch`, the newest that the holder knows. */
  inUseOfEpoch: number;
  epoch: number;
  /** Calls that would begin now. With none, and none in use, the holder leaves. */
  waiting: number;
  /** What the next of them counts for against tokens a minute. */
  callTokens: number;
  /** Calls begun since the last lease: fairness counts them. */
  begun: Credits;
  /** Credits of the last slice that were not spent. */
  unspent: Credits;
  outcomes: HeardOutcome[];
}

export interface LeaseReply {
  /** So many calls may be under way; fewer than are in use = wait until some have ended. */
  calls: number;
  /** Calls and tokens that may begin within `LIMITS.gateCreditMs`; null = not metered. */
  credits: { calls: number | null; tokens: number | null };
  sliceMs: number;
  /** Ask again after this; 0 = everything was given. */
  retryMs: number;
  /** Rises whenever the account is paused, probed or reopened: outcomes of older calls count less. */
  epoch: number;
  state: BreakerState["state"];
  /** Why nothing is lent, when the vendor is the reason. */
  cause: ErrorCode | null;
}

/** The account as `GET /v1/providers` shows it. */
export interface GateView {
  state: BreakerState["state"];
  /** Nothing is asked of the vendor for so long; 0 when it is. */
  pausedMs: number;
  limits: AccountLimits;
  inUse: number;
  waiting: number;
  /** `at` is RFC 3339. */
  lastError: { code: ErrorCode; at: string } | null;
}
