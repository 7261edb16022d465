import { LIMITS } from "../../limits.ts";

/**
 * A bucket that holds what may still be asked of a minute. It is so small, and fills so slowly, that no 60 seconds as the
 * vendor sees them hold more than the limit, although what is lent is spent up to `LIMITS.gateCreditMs` later. Paced like
 * that, a tenant that comes late finds its part of the minute.
 */

const MINUTE_MS = 60_000;

export interface Rate {
  /** The most that goes out at once. */
  burst: number;
  perMs: number;
}

export function rateOf(perMinute: number): Rate {
  const burst = Math.max(1, Math.floor(perMinute * LIMITS.gateBurstShare));
  // Of one a minute nothing would be left to fill with; half of one keeps every window at one.
  const rest = Math.max(perMinute - burst, perMinute / 2);
  return { burst, perMs: rest / (MINUTE_MS + LIMITS.gateCreditMs) };
}

/** What is in the bucket after `elapsedMs`. A clock that went back fills nothing. */
export function refilled(balance: number, { burst, perMs }: Rate, elapsedMs: number): number {
  return Math.min(burst, balance + perMs * Math.max(0, elapsedMs));
}

/** Whether a call of `cost` may go: one that is larger than the bucket goes when it is full, and leaves a debt. */
export function covers(balance: number, { burst }: Rate, cost: number): boolean {
  return balance >= Math.min(cost, burst);
}

/** How long until a call of `cost` may go. */
export function msUntil(balance: number, { burst, perMs }: Rate, cost: number): number {
  return Math.max(0, Math.ceil((Math.min(cost, burst) - balance) / perMs));
}
