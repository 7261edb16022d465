import { LIMITS } from "../limits.ts";
import { grownSince, type PlatformUsage, sumOf } from "./platform-usage.ts";

/**
 * What a process took of the platform, by UTC day: the core keeps it in the process's row, which every report writes anyway.
 * A process reports a sum; what it is more than the sum before is of the day on which the core hears it.
 */
export interface PlatformDays {
  /** The newest sum that was reported. */
  seen: PlatformUsage;
  days: Record<string, PlatformUsage>;
}

/** `kept` with a new sum. The newest days are kept apart; what is older counts on the oldest of them. */
export function withReported(kept: string | null, usage: PlatformUsage, day: string): string {
  const { seen, days }: Partial<PlatformDays> = kept === null ? {} : (JSON.parse(kept) as PlatformDays);
  const grown = { ...days, [day]: sumOf(days?.[day] ?? {}, grownSince(seen ?? {}, usage)) };
  return JSON.stringify({ seen: usage, days: folded(grown) } satisfies PlatformDays);
}

function folded(days: PlatformDays["days"]): PlatformDays["days"] {
  const [oldest, next] = Object.keys(days).toSorted();
  if (oldest === undefined || next === undefined || Object.keys(days).length <= LIMITS.platformBillDays) return days;
  const { [oldest]: earlier, ...rest } = days;
  return { ...rest, [next]: sumOf(earlier ?? {}, rest[next] ?? {}) };
}
