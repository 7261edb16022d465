import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../../kernel/limits.ts";
import type { AccountLimits } from "../../../../kernel/llm/gate/account-limits.ts";
import { onNewObject } from "../../../support/on-object.ts";
import { DOWN, VendorWorld } from "./vendor-world.ts";

/** Runs a story before the gate of an account with these limits. */
function atGate(limits: Partial<AccountLimits>, story: (world: VendorWorld) => void): Promise<void> {
  return onNewObject("provider-gate", (sql) => story(new VendorWorld(sql, limits)));
}

const MINUTE_MS = 60_000;

describe("the limits of an account", () => {
  test("hold for 3,000 calls of three tenants, and little of them is wasted", () =>
    atGate({ concurrency: 8, requestsPerMinute: 600 }, (world) => {
      for (const tenant of ["a", "b", "c"]) world.holder(tenant, 1_000);
      world.pass(5 * MINUTE_MS);
      expect(world.mostAtOnce).toBeLessThanOrEqual(8);
      expect(world.mostInAMinute).toBeLessThanOrEqual(600);
      expect(world.journal.length).toBeGreaterThan(0.8 * 5 * 600);
    }));

  test("of a single call a minute are one call a minute", () =>
    atGate({ requestsPerMinute: 1 }, (world) => {
      world.holder("a", 10);
      world.pass(10 * MINUTE_MS);
      expect(world.mostInAMinute).toBe(1);
      expect(world.journal.length).toBeGreaterThanOrEqual(4);
    }));

  test("in tokens a minute hold, and a call that is larger than the pace allows waits for its turn", () =>
    atGate({ tokensPerMinute: 60_000 }, (world) => {
      world.holder("small", 1_000, 1_000);
      world.holder("large", 100, 10_000);
      world.pass(10 * MINUTE_MS);
      const tokens = world.began("small") * 1_000 + world.began("large") * 10_000;
      expect(tokens).toBeLessThanOrEqual(10 * 60_000 + 10_000);
      expect(tokens).toBeGreaterThan(0.7 * 10 * 60_000);
      // Fair in tokens, not in calls.
      expect(world.began("large")).toBeGreaterThan(15);
    }));
});

describe("a tenant with nothing to do", () => {
  test("gives its slice back once and asks no more", () =>
    atGate({ concurrency: 4 }, (world) => {
      const holder = world.holder("a", 3);
      world.pass(10_000);
      expect(world.began("a")).toBe(3);
      expect(holder.allowance.dueAt(holder.usage(), world.clock.now())).toBeNull();
    }));

  test("but calls that are under way since before it forgot its slice asks at once", () =>
    atGate({ concurrency: 4 }, (world) => {
      const holder = world.holder("a", 0);
      const usage = { ...holder.usage(), inUse: 1 };
      expect(holder.allowance.dueAt(usage, world.clock.now())).toBe(world.clock.now());
    }));
});

describe("a tenant that floods", () => {
  test("slows only itself: who comes late with little gets its part within seconds", () =>
    atGate({ concurrency: 4 }, (world) => {
      world.callMs = 1_000;
      world.holder("flood", 10_000);
      world.pass(10_000);
      const small = world.holder("small", 4);
      world.pass(10_000);
      expect(small.waiting + small.running.length).toBe(0);
      expect(world.mostAtOnce).toBeLessThanOrEqual(4);
    }));

  test("shares the minute too", () =>
    atGate({ concurrency: 100, requestsPerMinute: 60 }, (world) => {
      world.holder("flood", 10_000);
      world.pass(MINUTE_MS);
      world.holder("small", 20);
      const flooded = world.began("flood");
      world.pass(MINUTE_MS);
      expect(world.began("small")).toBe(20);
      expect(world.began("flood") - flooded).toBeGreaterThan(20);
    }));

  test("takes turns with the others where there is less than one call for each", () =>
    atGate({ concurrency: 1 }, (world) => {
      for (const [tenant, calls] of [
        ["a", 5_000],
        ["b", 500],
        ["c", 50],
      ] as const)
        world.holder(tenant, calls);
      world.pass(2 * MINUTE_MS);
      expect(world.mostAtOnce).toBe(1);
      expect(world.began("c")).toBe(50);
      expect(world.began("b")).toBeGreaterThan(50);
      expect(world.began("b") / world.began("a")).toBeGreaterThan(0.6);
    }));
});

describe("a holder that is not heard of any more", () => {
  test("keeps nothing longer than its slice", () =>
    atGate({ concurrency: 2 }, (world) => {
      world.callMs = MINUTE_MS;
      const dead = world.holder("dead", 2);
      world.pass(1_000);
      expect(dead.running).toHaveLength(2);
      dead.dead = true;
      const heir = world.holder("heir", 2);
      world.pass(LIMITS.gateSliceMs - 2_000);
      expect(heir.running).toHaveLength(0);
      world.pass(3_000);
      expect(heir.running).toHaveLength(2);
    }));

  test("and one that has nothing to do gives its slice back at once", () =>
    atGate({ concurrency: 2 }, (world) => {
      world.holder("done", 2);
      world.pass(300);
      const heir = world.holder("heir", 2);
      world.pass(2_500);
      expect(heir.waiting).toBe(0);
    }));
});

describe("a gate that is evicted", () => {
  test("every second lends nothing twice", () =>
    atGate({ concurrency: 3, requestsPerMinute: 120 }, (world) => {
      for (const tenant of ["a", "b", "c"]) world.holder(tenant, 1_000);
      for (let second = 0; second < 180; second++) {
        world.pass(1_000);
        world.evict();
      }
      expect(world.mostAtOnce).toBeLessThanOrEqual(3);
      expect(world.mostInAMinute).toBeLessThanOrEqual(120);
      expect(world.journal.length).toBeGreaterThan(200);
    }));

  test("does not forget that its breaker is open", () =>
    atGate({ concurrency: 8 }, (world) => {
      world.vendor = () => DOWN;
      world.holder("a", 8);
      world.pass(400);
      expect(world.gate.view().state).toBe("open");
      world.evict();
      expect(world.gate.view()).toMatchObject({ state: "open", lastError: { code: "provider_unavailable" } });
      world.holder("b", 8);
      world.pass(100);
      expect(world.began("b")).toBe(0);
    }));
});

describe("a vendor that is down", () => {
  test("sees one probe at a time, ever more rarely, and the first success lets all go on", () =>
    atGate({ concurrency: 8 }, (world) => {
      world.vendor = () => DOWN;
      for (const tenant of ["a", "b", "c"]) world.holder(tenant, 50);
      world.pass(400);
      const failed = world.journal.length;
      expect(failed).toBeLessThanOrEqual(8);
      for (let ticks = 0; ticks < 5 * MINUTE_MS; ticks += 100) {
        world.pass(100);
        expect(world.underWay).toBeLessThanOrEqual(1);
      }
      const probes = world.journal.length - failed;
      expect(probes).toBeGreaterThanOrEqual(5);
      expect(probes).toBeLessThanOrEqual(14);
      world.vendor = () => ({ sign: "ok", code: null });
      world.pass(2 * MINUTE_MS);
      expect(world.gate.view().state).toBe("closed");
      expect(world.holders.map(({ waiting }) => waiting)).toEqual([0, 0, 0]);
      // 150 calls were to be made.
      expect(world.journal.length).toBeLessThanOrEqual(150 * 1.3);
    }));

  test("for one request in ten only is not down", () =>
    atGate({ concurrency: 8 }, (world) => {
      let calls = 0;
      world.vendor = () => (++calls % 10 === 0 ? DOWN : { sign: "ok", code: null });
      world.holder("a", 500);
      world.pass(MINUTE_MS);
      expect(world.holders[0]?.waiting).toBe(0);
      expect(world.gate.view()).toMatchObject({ state: "closed", pausedMs: 0 });
    }));

  test("gets another probe when the holder of the first one dies", () =>
    atGate({ concurrency: 5 }, (world) => {
      world.vendor = () => DOWN;
      const first = world.holder("a", 5);
      world.pass(400);
      world.callMs = MINUTE_MS;
      world.pass(2_000);
      expect(first.running).toHaveLength(1);
      first.dead = true;
      world.callMs = 300;
      world.vendor = () => ({ sign: "ok", code: null });
      const second = world.holder("b", 5);
      world.pass(LIMITS.gateRenewMs);
      expect(world.began("b")).toBe(0);
      world.pass(LIMITS.gateSliceMs);
      expect(world.began("b")).toBe(5);
      expect(second.waiting).toBe(0);
    }));
});

describe("a vendor that asks to be left alone", () => {
  test("is, by all tenants and for as long as it asked", () =>
    atGate({ concurrency: 2 }, (world) => {
      const limited = { sign: "limited", code: "provider_rate_limited", retryAfterMs: 20_000 } as const;
      const outcomes = [limited];
      world.vendor = () => outcomes.pop() ?? { sign: "ok", code: null };
      for (const tenant of ["a", "b"]) world.holder(tenant, 100);
      world.pass(300);
      const asked = world.clock.now() + 50;
      world.pass(MINUTE_MS);
      const later = world.journal.filter(({ begun }) => begun > asked).map(({ begun }) => begun);
      expect(Math.min(...later) - asked).toBeGreaterThanOrEqual(19_900);
      expect(Math.min(...later) - asked).toBeLessThan(21_000);
      expect(new Set(world.journal.filter(({ begun }) => begun > asked).map(({ tenant }) => tenant)).size).toBe(2);
    }));

  test("and does not say for how long is asked again after growing pauses", () =>
    atGate({ concurrency: 1 }, (world) => {
      world.vendor = () => ({ sign: "limited", code: "provider_rate_limited" });
      world.holder("a", 10);
      world.pass(2 * MINUTE_MS);
      const begins = world.journal.map(({ begun }) => begun);
      const pauses = begins.slice(1).map((begun, index) => begun - (begins[index] ?? 0));
      expect(pauses.length).toBeLessThan(12);
      expect(pauses.at(-1) ?? 0).toBeGreaterThan(10 * (pauses[0] ?? 0));
    }));
});
