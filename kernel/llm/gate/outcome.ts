import type { ErrorCode } from "../../errors.ts";

/**
 * What the end of one call says of the vendor's account. `refused` is an answer too: whoever refuses a request or a key is
 * there, so only `limited` and `unavailable` hold others back.
 */
export interface CallOutcome {
  sign: "ok" | "refused" | "limited" | "unavailable";
  /** Null for a success. */
  code: ErrorCode | null;
  /** Milliseconds, as the vendor asked. */
  retryAfterMs?: number | undefined;
}

const SIGNS: Partial<Record<ErrorCode, CallOutcome["sign"]>> = {
  provider_rate_limited: "limited",
  provider_unavailable: "unavailable",
  provider_truncated: "unavailable",
  provider_malformed: "unavailable",
  deadline_exceeded: "unavailable",
  provider_auth: "refused",
  provider_balance: "refused",
  provider_rejected: "refused",
  context_overflow: "refused",
  unknown_model: "refused",
};

/** Null for an end that says nothing of the vendor, such as a cancellation. `code` null = a reply came. */
export function outcomeOf(code: ErrorCode | null, retryAfterMs?: number): CallOutcome | null {
  const sign = code === null ? "ok" : SIGNS[code];
  if (sign === undefined) return null;
  return { sign, code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** Whether others should hear of it at once. */
export function isFailure({ sign }: CallOutcome): boolean {
  return sign === "limited" || sign === "unavailable";
}
