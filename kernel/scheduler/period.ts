import type { MeterPeriod } from "../process/spec.ts";

/** The periods that meters are counted in: UTC minutes, hours and days, or all of time. */

const MS: Record<Exclude<MeterPeriod, "total">, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
/** Characters of an instant that name its period. */
const CHARS: Record<Exclude<MeterPeriod, "total">, number> = { minute: 16, hour: 13, day: 10 };

/** The name of the period that `at` (milliseconds since the epoch) falls into. */
export function periodOf(per: MeterPeriod, at: number): string {
  return per === "total" ? "total" : new Date(at).toISOString().slice(0, CHARS[per]);
}

/** When that period began. */
export function startOf(per: MeterPeriod, at: number): number {
  return per === "total" ? 0 : Math.floor(at / MS[per]) * MS[per];
}

/** When it ends; null = never. */
export function endOf(per: MeterPeriod, at: number): number | null {
  return per === "total" ? null : startOf(per, at) + MS[per];
}
