import { startOf } from "./period.ts";

/** CPU of one process as its core counts it: in all, and in the newest hour and day in which it used any. */
export interface CpuUse {
  ms: number;
  /** When that hour and that day began, in milliseconds since the epoch. */
  hourAt: number;
  hourMs: number;
  dayAt: number;
  dayMs: number;
}

export const NO_CPU: CpuUse = { ms: 0, hourAt: 0, hourMs: 0, dayAt: 0, dayMs: 0 };

/** After a report at `now` of `ms` in all, which are more than before. */
export function withCpu(before: CpuUse, ms: number, now: number): CpuUse {
  const grown = ms - before.ms;
  const [hourAt, dayAt] = [startOf("hour", now), startOf("day", now)];
  return {
    ms,
    hourAt,
    hourMs: (hourAt === before.hourAt ? before.hourMs : 0) + grown,
    dayAt,
    dayMs: (dayAt === before.dayAt ? before.dayMs : 0) + grown,
  };
}
