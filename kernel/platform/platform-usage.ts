import * as z from "zod";

/** What a process takes of the platform, as it is counted (`PlatformUsage`) and as people see it (`PlatformBill`). */

export const USAGE_COUNTERS = [
  "requests",
  "socketMessages",
  "rowsRead",
  "rowsWritten",
  "activeMs",
  "cpuMs",
  "r2ClassA",
  "r2ClassB",
  "queueOperations",
] as const;
export type PlatformCounter = (typeof USAGE_COUNTERS)[number];
export type PlatformUsage = Record<PlatformCounter, number>;

const count = z.int().nonnegative();

/** An estimate, beside the ledger and no part of it: see docs/costs.md. */
export const platformBill = z
  .object({
    /** Calls by RPC, alarms, and messages of WebSockets at twenty a request. */
    requests: count,
    rowsRead: count,
    rowsWritten: count,
    /** Seconds in which the object was awake, times the 0.128 GB that it is billed for. */
    gbSeconds: z.number().nonnegative(),
    /** CPU of Workers that ran the process's code, in milliseconds. */
    cpuMs: count,
    r2ClassA: count,
    r2ClassB: count,
    queueOperations: count,
    /** Integer nano-dollars. */
    costNanoUsd: count,
    /** The same for people. */
    costUsd: z.string(),
  })
  .meta({ id: "PlatformBill" });
export type PlatformBill = z.infer<typeof platformBill>;

export const NO_USAGE: Readonly<PlatformUsage> = usageOf(() => 0);

/** Every counter as `of` says. */
export function usageOf(of: (counter: PlatformCounter) => number): PlatformUsage {
  return Object.fromEntries(USAGE_COUNTERS.map((counter) => [counter, of(counter)])) as PlatformUsage;
}

export function sumOf(a: Partial<PlatformUsage>, b: Partial<PlatformUsage>): PlatformUsage {
  return usageOf((counter) => (a[counter] ?? 0) + (b[counter] ?? 0));
}

/** What came since `before`; nothing where less was counted than then, which is what an eviction leaves behind. */
export function grownSince(before: Partial<PlatformUsage>, now: Partial<PlatformUsage>): PlatformUsage {
  return usageOf((counter) => Math.max(0, (now[counter] ?? 0) - (before[counter] ?? 0)));
}

/** As it was saved; a counter that came later is zero. */
export function savedUsage(text: string | null): PlatformUsage {
  return sumOf(NO_USAGE, text === null ? {} : (JSON.parse(text) as Partial<PlatformUsage>));
}
