import { LIMITS } from "../limits.ts";

/**
 * How long a vendor asks to wait, in milliseconds, or undefined: `Retry-After-Ms`, or `Retry-After` in seconds or as an
 * HTTP date. A date is compared with the answer's own `Date` where it has one, because clocks differ. Never longer than
 * `LIMITS.retryAfterMaxMs`: a vendor must not park an agent for days.
 */
export function retryAfterMs(headers: Headers | undefined, now: number): number | undefined {
  const wait = asked(headers, now);
  return wait === undefined || !Number.isFinite(wait)
    ? undefined
    : Math.min(Math.max(Math.ceil(wait), 0), LIMITS.retryAfterMaxMs);
}

function asked(headers: Headers | undefined, now: number): number | undefined {
  const exact = headers?.get("retry-after-ms")?.trim();
  if (exact !== undefined && /^\d+(\.\d+)?$/.test(exact)) return Number(exact);
  const value = headers?.get("retry-after")?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1_000;
  const until = Date.parse(value);
  const sentAt = Date.parse(headers?.get("date") ?? "");
  return Number.isNaN(until) ? undefined : until - (Number.isNaN(sentAt) ? now : sentAt);
}
