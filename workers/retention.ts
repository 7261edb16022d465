import type { Env } from "./env.ts";

const DAY_MS = 86_400_000;

/** Segments of checkpoints before this instant are not kept, in milliseconds since the epoch; null = all are kept for ever. */
export function retainedSince({ AOS_AUDIT_RETENTION_DAYS: days }: Env, now: number): number | null {
  const kept = Number(days);
  return days === undefined || days === "" || !(kept > 0) ? null : now - kept * DAY_MS;
}
