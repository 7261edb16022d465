import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { aos } from "../runtime/kernel-process.ts";
import { GatedKernel } from "./gated-kernel.ts";

/** What agents do while their vendor is down or wants to be left alone. The model server's journal is the oracle. */

let kernel: GatedKernel;
afterEach(() => kernel.stop());

const DOWN = { kind: "status", status: 503, message: "overloaded" } as const;

describe("a vendor that asks to be left alone", () => {
  test.each(["seconds", "date"] as const)("in %s is left alone by every agent of every tenant", async (as) => {
    kernel = await GatedKernel.start("concurrency=1");
    const { id: other } = await kernel.client().tenants.create("other");
    const [first, second] = [await kernel.daemons(3), await kernel.daemons(3, other)];
    await kernel.model.script({ queue: [{ fault: { kind: "rate_limit", retryAfterSeconds: 3, as } }] });
    const [sent, foreign] = await Promise.all([kernel.send(first, ["a", "b"]), kernel.send(second, ["c"], other)]);
    const views = [...(await kernel.ended(sent, 60_000)), ...(await kernel.ended(foreign, 60_000, other))];
    expect(views.map(({ state }) => state)).toEqual(views.map(() => "answered"));
    const calls = await kernel.calls();
    const refused = calls.findIndex(({ fault }) => fault === "rate_limit");
    const waited = (calls[refused + 1]?.begun ?? 0) - (calls[refused]?.begun ?? 0);
    // A date has no fractions of a second.
    expect(waited).toBeGreaterThanOrEqual(as === "date" ? 1_900 : 2_900);
    expect(calls.length).toBe(6 + views.length + 1);
  });
});

describe("a vendor that is down", () => {
  test("is asked by one probe at a time, agents wait and say for whom, and the first success lets all go on", async () => {
    kernel = await GatedKernel.start("concurrency=4");
    const agents = await kernel.daemons(8);
    await kernel.model.script({ rules: [{ reply: { latencyMs: 200, fault: DOWN } }] });
    const before = (await kernel.calls()).length;
    const sent = await kernel.send(agents, ["a", "b", "c", "d", "e", "f", "g", "h"]);
    while ((await kernel.account()).state === "closed") await sleep(50);
    await sleep(9_000);
    const account = await kernel.account();
    expect(account.state).not.toBe("closed");
    expect(account.lastError?.code).toBe("provider_unavailable");
    const blocks = await Promise.all(agents.map((id) => kernel.client().agents.get(id)));
    expect(blocks.map(({ state, waitReason }) => [state, waitReason])).toContainEqual(["waiting", "llm"]);
    expect(blocks.some(({ lastError }) => lastError?.startsWith("openai "))).toBe(true);
    const { stdout } = await aos(["providers"], kernel.url);
    expect(stdout).toMatch(/openai .*(open|half-open).*provider_unavailable/);

    const failed = (await kernel.calls()).slice(before);
    await kernel.model.script({});
    const reopened = Date.now();
    const views = await kernel.ended(sent, 90_000);
    expect(views.map(({ state }) => state)).toEqual(views.map(() => "answered"));
    const all = (await kernel.calls()).slice(before);
    const wasted = all.filter(({ fault }) => fault !== null);
    console.log(
      `${sent.length} messages, ${all.length} requests (${(all.length / sent.length).toFixed(2)}x), ` +
        `${failed.length} of them while it was down; all answered ${Date.now() - reopened} ms after its return`,
    );
    // Whatever began before the breaker opened may fail; after that, one at a time.
    expect(wasted.length).toBeLessThanOrEqual(sent.length * 0.3);
    const opened = wasted[5]?.ended ?? 0;
    const probes = wasted.filter(({ begun }) => begun > opened + 500);
    expect(probes.length).toBeGreaterThan(0);
    for (const probe of probes) {
      expect(all.filter(({ begun, ended }) => begun <= probe.begun && ended > probe.begun)).toHaveLength(1);
    }
    expect((await kernel.account()).state).toBe("closed");
  });

  test("is not forgotten by a kernel that is killed", async () => {
    kernel = await GatedKernel.start("concurrency=8");
    const agents = await kernel.daemons(8);
    await kernel.model.script({ queue: [{ fault: { kind: "rate_limit", retryAfterSeconds: 12, as: "seconds" } }] });
    const [first] = agents;
    await kernel.send([first ?? ""], ["a"]);
    while ((await kernel.account()).pausedMs === 0) await sleep(20);
    const count = (await kernel.calls()).length;
    const until = Date.now() + (await kernel.account()).pausedMs;
    const sent = await kernel.send(agents, ["b"]);
    await kernel.killed();
    const views = await kernel.ended(sent, 60_000);
    expect(views.map(({ state }) => state)).toEqual(views.map(() => "answered"));
    const later = (await kernel.calls()).slice(count);
    expect(Math.min(...later.map(({ begun }) => begun))).toBeGreaterThanOrEqual(until - 100);
  });
});
