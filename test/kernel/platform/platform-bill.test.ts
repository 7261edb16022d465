import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../kernel/limits.ts";
import { platformBillOf } from "../../../kernel/platform/platform-bill.ts";
import { type PlatformDays, withReported } from "../../../kernel/platform/platform-days.ts";
import { PlatformMeter } from "../../../kernel/platform/platform-meter.ts";
import { NO_USAGE, savedUsage } from "../../../kernel/platform/platform-usage.ts";
import { TestClock } from "../../support/ports.ts";

/** What an object takes of the platform: counted, priced, and kept by day. */

describe("the price list", () => {
  test("asks for a million of each what the platform's own list says", () => {
    const million = 1_000_000;
    const usdOf = (counts: object) => platformBillOf({ ...NO_USAGE, ...counts }).costUsd;
    expect(usdOf({ requests: million })).toBe("0.15");
    expect(usdOf({ socketMessages: 20 * million })).toBe("0.15");
    expect(usdOf({ rowsRead: million })).toBe("0.001");
    expect(usdOf({ rowsWritten: million })).toBe("1.00");
    expect(usdOf({ r2ClassA: million })).toBe("4.50");
    expect(usdOf({ r2ClassB: million })).toBe("0.36");
    expect(usdOf({ queueOperations: million })).toBe("0.40");
    expect(usdOf({ cpuMs: million })).toBe("0.02");
    // The list's own example: a million seconds awake are 128,000 GB-s.
    const awake = platformBillOf({ ...NO_USAGE, activeMs: 1_000 * million });
    expect(awake).toMatchObject({ gbSeconds: 128_000, costUsd: "1.60" });
  });

  test("rounds to whole nano-dollars, and counts a begun request of messages", () => {
    const bill = platformBillOf({ ...NO_USAGE, socketMessages: 1, activeMs: 1 });
    expect(bill).toMatchObject({ requests: 1, gbSeconds: 0.000_128, costNanoUsd: 9 });
  });
});

describe("a meter", () => {
  test("bills the time in which anything is under way once, and none in between", async () => {
    const clock = new TestClock();
    const meter = new PlatformMeter(clock);
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    const begun = meter.event("requests", () => first.promise);
    clock.advance(100);
    const joined = meter.event("requests", () => second.promise);
    clock.advance(200);
    first.resolve();
    await begun;
    clock.advance(200);
    expect(meter.usage()).toMatchObject({ requests: 2, activeMs: 500 });
    second.resolve();
    await joined;
    clock.advance(60_000);
    expect(meter.usage()).toMatchObject({ requests: 2, activeMs: 500 });
  });

  test("counts an event that breaks", async () => {
    const clock = new TestClock();
    const meter = new PlatformMeter(clock);
    const breaks = meter.event("requests", async () => {
      clock.advance(40);
      throw new Error("broken");
    });
    await expect(breaks).rejects.toThrow("broken");
    expect(meter.usage()).toMatchObject({ requests: 1, activeMs: 40 });
  });

  test("goes on from what the life before it saved, also where that knew fewer counters", () => {
    const meter = new PlatformMeter(new TestClock());
    meter.add({ rowsRead: 2 });
    meter.resume(savedUsage('{"rowsRead":40,"requests":3}'));
    expect(meter.usage()).toEqual({ ...NO_USAGE, rowsRead: 42, requests: 3 });
  });
});

describe("the days of a process", () => {
  const daysOf = (kept: string) => (JSON.parse(kept) as PlatformDays).days;
  const usage = (rowsWritten: number) => ({ ...NO_USAGE, rowsWritten });

  test("each have what the sum grew by; a sum that an eviction made smaller takes nothing away", () => {
    let kept = withReported(null, usage(10), "2026-01-01");
    kept = withReported(kept, usage(15), "2026-01-02");
    kept = withReported(kept, usage(12), "2026-01-02");
    kept = withReported(kept, usage(20), "2026-01-02");
    expect(daysOf(kept)).toEqual({ "2026-01-01": usage(10), "2026-01-02": usage(13) });
  });

  test("are kept apart for a month; what is older counts on the oldest of them", () => {
    let kept: string | null = null;
    const days = Array.from({ length: LIMITS.platformBillDays + 5 }, (_, day) =>
      new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10),
    );
    for (const [index, day] of days.entries()) kept = withReported(kept, usage((index + 1) * 3), day);
    const found = daysOf(kept ?? "");
    expect(Object.keys(found).toSorted()).toEqual(days.slice(5));
    expect(found[days[5] ?? ""]).toEqual(usage(6 * 3));
    expect(found[days.at(-1) ?? ""]).toEqual(usage(3));
  });
});
