import { describe, expect, test } from "vitest";
import { timeNow } from "../../../../kernel/tools/builtin/time-now.ts";

const newYear = Date.UTC(2026, 0, 1, 0, 0, 5, 7);

describe("time_now", () => {
  test.each([
    ["UTC", "2026-01-01T00:00:05+00:00", "Thursday"],
    ["Asia/Shanghai", "2026-01-01T08:00:05+08:00", "Thursday"],
    ["Asia/Kolkata", "2026-01-01T05:30:05+05:30", "Thursday"],
    ["Pacific/Chatham", "2026-01-01T13:45:05+13:45", "Thursday"],
    ["America/New_York", "2025-12-31T19:00:05-05:00", "Wednesday"],
    ["+08:00", "2026-01-01T08:00:05+08:00", "Thursday"],
  ])("in %s is %s, a %s", (timeZone, local, weekday) => {
    const value = { utc: "2026-01-01T00:00:05.007Z", timeZone, local, weekday };
    expect(timeNow(newYear, timeZone)).toEqual({ ok: true, value });
  });

  test("knows summer time", () => {
    expect(timeNow(Date.UTC(2026, 6, 1, 12), "America/New_York")).toMatchObject({
      value: { local: "2026-07-01T08:00:00-04:00" },
    });
  });

  test("is the same instant in every zone", () => {
    for (const zone of Intl.supportedValuesOf("timeZone")) {
      const now = timeNow(newYear, zone);
      expect(now.ok && Date.parse(now.value.local), zone).toBe(newYear - 7);
    }
  });

  test.each(["Mars/Olympus", "", "Asia/", "GMT+99", "local", "../etc"])("refuses the zone %j in words", (zone) => {
    const now = timeNow(newYear, zone);
    expect(now).toMatchObject({ ok: false, error: { code: "invalid_input" } });
    expect(!now.ok && now.error.message).toContain("Asia/Shanghai");
  });
});
