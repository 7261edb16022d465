import { expect, test } from "vitest";
import { Caller } from "./calling.ts";

test("calculate answers digits and whether they are exact", async () => {
  const agent = new Caller();
  expect(await agent.call("calculate", { expression: "0.1 + 0.2" })).toEqual({
    ok: true,
    value: { result: "0.3", exact: true },
  });
  expect(await agent.call("calculate", { expression: "1 +" })).toMatchObject({ error: { code: "invalid_input" } });
});

test("time_now reads the process's clock, in UTC unless asked otherwise", async () => {
  const agent = new Caller();
  agent.clock.advance(60_000);
  expect(await agent.call("time_now", {})).toMatchObject({
    value: { utc: "2026-01-01T00:01:00.000Z", timeZone: "UTC" },
  });
  expect(await agent.call("time_now", { timeZone: "Asia/Shanghai" })).toMatchObject({
    value: { local: "2026-01-01T08:01:00+08:00" },
  });
  expect(await agent.call("time_now", { timeZone: "Nowhere" })).toMatchObject({ error: { code: "invalid_input" } });
});
