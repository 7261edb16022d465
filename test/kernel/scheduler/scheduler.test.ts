import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../kernel/limits.ts";
import { Log } from "../../../kernel/log/log.ts";
import type { Sql } from "../../../kernel/ports.ts";
import { newBirth, newborn } from "../../../kernel/process/birth.ts";
import type { Quotas } from "../../../kernel/process/spec.ts";
import { TENANT } from "../../../kernel/scheduler/budgets.ts";
import type { AgentReport, GrantRequest, Settlement } from "../../../kernel/scheduler/grant.ts";
import { Scheduler } from "../../../kernel/scheduler/scheduler.ts";
import { onNewObject } from "../../support/on-object.ts";
import { nodeHash, SeededRandom, TestClock } from "../../support/ports.ts";

/** One tenant's scheduler on a real object's tables, and the few moves that stories make. */
class Tenant {
  readonly clock = new TestClock();
  readonly scheduler: Scheduler;
  readonly #random = new SeededRandom();
  #calls = 0;

  constructor(sql: Sql) {
    const ports = { sql, clock: this.clock, hash: nodeHash };
    this.scheduler = new Scheduler(ports, new Log(ports));
  }

  spawn(options: { priority?: number; quotas?: Quotas; parentId?: string } = {}): string {
    const spec = { name: "a", role: "r", goal: "g", ...options };
    const ports = { clock: this.clock, random: this.#random, hash: nodeHash };
    const birth = newBirth(
      { tenant: "acme", spec, model: "local/reader", contextTokens: 1_000_000, actor: "kernel" },
      ports,
    );
    const { processes, budgets, counters, queue } = this.scheduler;
    processes.enter(newborn(birth), birth, queue.floor(), counters.next("changed"));
    budgets.set(birth.id, options.quotas ?? {});
    return birth.id;
  }

  ask(agentId: string, request: Partial<GrantRequest> = {}, settlements: Settlement[] = []) {
    this.#calls++;
    const callId = request.callId ?? `call_${this.#calls}`;
    const price = {
      inputNanoUsdPerMTok: 1_000_000_000,
      cachedInputNanoUsdPerMTok: 0,
      outputNanoUsdPerMTok: 2_000_000_000,
      version: "test",
    };
    const next = {
      callId,
      lane: "interactive" as const,
      provider: "p",
      model: "p/m",
      price,
      inputBound: 100,
      outputWanted: 100,
      rateTokens: 200,
      deadlineMs: 1_000,
      ...request,
    };
    return this.scheduler.settleAndGrant(this.#report(agentId, settlements), next);
  }

  rest(agentId: string, settlements: Settlement[] = []) {
    return this.scheduler.settleAndGrant(this.#report(agentId, settlements), null);
  }

  meter(subject: string, metric: string) {
    return this.scheduler.budgets.meters(subject).find((row) => row.metric === metric);
  }

  #report(agentId: string, settlements: Settlement[]): AgentReport {
    const entry = this.scheduler.processes.get(agentId);
    const block = JSON.parse(entry?.block ?? "{}") as AgentReport["block"];
    return { agentId, seq: 1, block, settlements, segments: [], questions: [] };
  }
}

function settled(callId: string, promptTokens: number, completionTokens: number): Settlement {
  const usage = { promptTokens, cachedTokens: 0, completionTokens, reasoningTokens: 0, estimated: false };
  return { callId, state: "settled", usage, costNanoUsd: promptTokens * 1_000 + completionTokens * 2_000 };
}

describe("a grant", () => {
  test("reserves the upper bound of the call, and its settlement leaves only what was used", () =>
    onNewObject("core", (sql) => {
      const tenant = new Tenant(sql);
      tenant.scheduler.budgets.set(TENANT, { nanoUsd: 1_000_000 });
      const agent = tenant.spawn();
      expect(tenant.ask(agent, { callId: "call_a" })).toMatchObject({
        kind: "granted",
        maxOutputTokens: 100,
        reservedNanoUsd: 300_000,
      });
      expect(tenant.meter(TENANT, "nanoUsd")).toMatchObject({ used: 0, reserved: 300_000 });
      tenant.rest(agent, [settled("call_a", 50, 10)]);
      expect(tenant.meter(TENANT, "nanoUsd")).toMatchObject({ used: 70_000, reserved: 0 });
    }));

  test("asked for again after a crash is the same grant, reserved once", () =>
    onNewObject("core", (sql) => {
      const tenant = new Tenant(sql);
      tenant.scheduler.budgets.set(TENANT, { nanoUsd: 1_000_000 });
      const agent = tenant.spawn();
      const first = tenant.ask(agent, { callId: "call_a" });
      expect(tenant.ask(agent, { callId: "call_a" })).toEqual(first);
      expect(tenant.meter(TENANT, "nanoUsd")).toMatchObject({ reserved: 300_000 });
    }));

  test("settled twice is counted once", () =>
    onNewObject("core", (sql) => {
      const tenant = new Tenant(sql);
      tenant.scheduler.budgets.set(TENANT, { tokens: 1_000 });
      const agent = tenant.spawn();
      tenant.ask(agent, { callId: "call_a" });
      tenant.rest(agent, [settled("call_a", 50, 10)]);
      tenant.rest(agent, [settled("call_a", 50, 10)]);
      expect(tenant.meter(TENANT, "tokens")).toMatchObject({ used: 60, reserved: 0 });
    }));

  test("allows the longest reply that the budget can pay", () =>
    onNewObject("core", (sql) => {
      const tenant = new Tenant(sql);
      tenant.scheduler.budgets.set(TENANT, { nanoUsd: 150_000 });
      expect(tenant.ask(tenant.spawn())).toMatchObject({
        kind: "granted",
        maxOutputTokens: 25,
        reservedNanoUsd: 150_000,
      });
    }));

  test("is denied when not even a short reply can be paid, and the denial names the meter", () =>
    onNewObject("core", (sql) => {
      const tenant = new Tenant(sql);
      tenant.scheduler.budgets.set(TENANT, { nanoUsd: 100_000 });
      expect(tenant.ask(tenant.spawn())).toMatchObject({
        kind: "denied",
        subject: TENANT,
        metric: "nanoUsd",
        limit: 100_000,
      });
    }));

  test("debits the agent's ancestors too: a child's budget is part of its parent's", () =>
    onNewObject("core", (sql) => {
      const tenant = new Tenant(sql);
      const parent = tenant.spawn({ quotas: { steps: 1 } });
      const child = tenant.spawn({ parentId: parent });
      const sibling = tenant.spawn({ parentId: parent });
      expect(tenant.ask(child)).toMatchObject({ kind: "granted" });
      expect(tenant.ask(sibling)).toMatchObject({ kind: "denied", subject: parent, metric: "steps" });
    }));

  test("for an erased process is refused", () =>
    onNewObject("core", (sql) => {
      const tenant = new Tenant(sql);
      const agent = tenant.spawn();
      tenant.scheduler.processes.erase(agent, 1, 1);
      expect(tenant.ask(agent)).toEqual({ kind: "gone" });
    }));
});

describe("a budget for ten calls", () => {
  test("admits exactly ten of fifty that ask at once, and two more when it is raised by two", () =>
    onNewObject("core", (sql) => {
      const tenant = new Tenant(sql);
      tenant.scheduler.budgets.set(TENANT, { steps: 10 });
      const agents = Array.from({ length: 50 }, () => tenant.spawn());
      const granted = (replies: { kind: string }[]) => replies.filter((reply) => reply.kind === "granted").length;
      expect(granted(agents.map((agent) => tenant.ask(agent, { callId: `call_${agent}` })))).toBe(10);
      for (const agent of agents.slice(0, 10)) tenant.rest(agent, [settled(`call_${agent}`, 1, 1)]);
      expect(tenant.scheduler.releaseQuotaWaiters()).toHaveLength(0);
      tenant.scheduler.budgets.set(TENANT, { steps: 12 });
      const released = tenant.scheduler.releaseQuotaWaiters();
      expect(granted(released.map((agent) => tenant.ask(agent, { callId: `again_${agent}` })))).toBe(2);
    }));

  test("that is set for an agent while a call of its child is open holds what the call may cost", () =>
    onNewObject("core", (sql) => {
      const tenant = new Tenant(sql);
      const parent = tenant.spawn();
      const child = tenant.spawn({ parentId: parent });
      tenant.ask(child, { callId: "call_a" });
      tenant.scheduler.setQuotas(parent, { tokens: 1_000, nanoUsd: 500_000 });
      expect(tenant.meter(parent, "tokens")).toMatchObject({ used: 0, reserved: 200 });
      expect(tenant.ask(parent, { callId: "call_b" })).toMatchObject({ kind: "granted", reservedNanoUsd: 200_000 });
      tenant.rest(child, [settled("call_a", 100, 100)]);
      expect(tenant.meter(parent, "nanoUsd")).toMatchObject({ used: 300_000, reserved: 200_000 });
    }));

  test("that is set late counts what was used before, in its period", () =>
    onNewObject("core", (sql) => {
      const tenant = new Tenant(sql);
      const agent = tenant.spawn();
      tenant.ask(agent, { callId: "call_a" });
      tenant.rest(agent, [settled("call_a", 50, 10)]);
      tenant.clock.advance(3_600_000);
      tenant.ask(agent, { callId: "call_b" });
      tenant.rest(agent, [settled("call_b", 5, 1)]);
      tenant.scheduler.setQuotas(agent, { steps: 2, tokens: { limit: 1_000, per: "hour" } });
      expect(tenant.meter(agent, "steps")).toMatchObject({ used: 2, reserved: 0 });
      expect(tenant.meter(agent, "tokens")).toMatchObject({ used: 6, reserved: 0 });
      expect(tenant.ask(agent)).toMatchObject({ kind: "denied", metric: "steps" });
    }));

  test("tells whoever waits for room until it asks, and nobody for whose call there is none", () =>
    onNewObject("core", (sql) => {
      const tenant = new Tenant(sql);
      tenant.scheduler.budgets.set(TENANT, { tokens: 0 });
      const agent = tenant.spawn();
      expect(tenant.ask(agent, { callId: "call_a" })).toMatchObject({ kind: "denied" });
      tenant.scheduler.budgets.set(TENANT, { tokens: 50 });
      expect(tenant.scheduler.releaseQuotaWaiters()).toEqual([]);
      tenant.scheduler.budgets.set(TENANT, { tokens: 1_000 });
      expect(tenant.scheduler.releaseQuotaWaiters()).toEqual([agent]);
      expect(tenant.scheduler.releaseQuotaWaiters()).toEqual([agent]);
      expect(tenant.ask(agent, { callId: "call_a" })).toMatchObject({ kind: "granted" });
      expect(tenant.scheduler.releaseQuotaWaiters()).toEqual([]);
    }));

  test("of an hour has room again in the next hour", () =>
    onNewObject("core", (sql) => {
      const tenant = new Tenant(sql);
      tenant.scheduler.budgets.set(TENANT, { steps: { limit: 1, per: "hour" } });
      const [first, second] = [tenant.spawn(), tenant.spawn()];
      tenant.ask(first, { callId: "call_a" });
      tenant.rest(first, [settled("call_a", 1, 1)]);
      expect(tenant.ask(second)).toMatchObject({ kind: "denied" });
      expect(tenant.scheduler.nextPeriod()).toBe(tenant.clock.now() + 3_600_000);
      tenant.clock.advance(3_600_000);
      expect(tenant.ask(second)).toMatchObject({ kind: "granted" });
    }));
});

describe("a call whose outcome a crash hid", () => {
  test("settles as unknown at its upper bound when its deadline and a grace have passed, not before", () =>
    onNewObject("core", (sql) => {
      const tenant = new Tenant(sql);
      tenant.scheduler.budgets.set(TENANT, { nanoUsd: 1_000_000 });
      tenant.ask(tenant.spawn(), { callId: "call_a", deadlineMs: 1_000 });
      tenant.clock.advance(1_000 + LIMITS.settleGraceMs - 1);
      expect(tenant.scheduler.settleExpired()).toBe(0);
      tenant.clock.advance(1);
      expect(tenant.scheduler.settleExpired()).toBe(1);
      expect(tenant.meter(TENANT, "nanoUsd")).toMatchObject({ used: 300_000, reserved: 0 });
    }));

  test("is corrected when its outcome arrives after all", () =>
    onNewObject("core", (sql) => {
      const tenant = new Tenant(sql);
      tenant.scheduler.budgets.set(TENANT, { nanoUsd: 1_000_000, steps: 10 });
      const agent = tenant.spawn();
      tenant.ask(agent, { callId: "call_a" });
      tenant.clock.advance(1_000 + LIMITS.settleGraceMs);
      tenant.scheduler.settleExpired();
      tenant.rest(agent, [settled("call_a", 50, 10)]);
      expect(tenant.meter(TENANT, "nanoUsd")).toMatchObject({ used: 70_000, reserved: 0 });
      expect(tenant.meter(TENANT, "steps")).toMatchObject({ used: 1, reserved: 0 });
    }));
});

describe("slots", () => {
  /** A tenant all of whose slots are taken by `holders`. */
  function full(sql: Sql) {
    const tenant = new Tenant(sql);
    const holders = Array.from({ length: LIMITS.slotsPerTenant }, () => tenant.spawn());
    for (const holder of holders) tenant.ask(holder);
    return { tenant, holders };
  }

  test("that are all taken make the next one wait, until one is given back", () =>
    onNewObject("core", (sql) => {
      const { tenant, holders } = full(sql);
      const late = tenant.spawn();
      expect(tenant.ask(late)).toEqual({ kind: "queued" });
      expect(tenant.scheduler.dispatch()).toEqual([]);
      tenant.rest(holders[0] ?? "");
      expect(tenant.scheduler.dispatch()).toEqual([late]);
      expect(tenant.ask(late)).toMatchObject({ kind: "granted" });
    }));

  test("go to urgent priorities first, then to whoever was served least", () =>
    onNewObject("core", (sql) => {
      const { tenant, holders } = full(sql);
      const [served, fresh, urgent] = [tenant.spawn(), tenant.spawn(), tenant.spawn({ priority: 5 })];
      tenant.scheduler.processes.serve(served, 1_000);
      for (const agent of [served, fresh, urgent]) tenant.ask(agent);
      for (const holder of holders.slice(0, 3)) tenant.rest(holder);
      expect(tenant.scheduler.dispatch()).toEqual([urgent, fresh, served]);
    }));

  test("expire: their holders are told, and a new holder has a higher fence", () =>
    onNewObject("core", (sql) => {
      const { tenant, holders } = full(sql);
      const late = tenant.spawn();
      tenant.ask(late);
      const before = tenant.scheduler.slots.of(holders[0] ?? "")?.fence ?? 0;
      tenant.clock.advance(LIMITS.slotMs);
      expect(new Set(tenant.scheduler.dispatch())).toEqual(new Set([...holders, late]));
      expect(tenant.scheduler.slots.of(holders[0] ?? "")).toBeNull();
      expect(tenant.scheduler.slots.of(late)?.fence).toBeGreaterThan(before);
    }));
});

describe("an erased process", () => {
  test("gives back what its last call held of its ancestors' budgets", () =>
    onNewObject("core", (sql) => {
      const tenant = new Tenant(sql);
      const parent = tenant.spawn({ quotas: { tokens: 1_000 } });
      const child = tenant.spawn({ parentId: parent });
      tenant.ask(child, { callId: "call_a" });
      expect(tenant.meter(parent, "tokens")).toMatchObject({ used: 0, reserved: 200 });
      tenant.scheduler.processes.erase(child, tenant.clock.now(), 1);
      tenant.scheduler.settle(settled("call_a", 40, 10));
      expect(tenant.meter(parent, "tokens")).toMatchObject({ used: 50, reserved: 0 });
    }));
});

describe("a call that is asked for again under the same id", () => {
  test("with another model, or at another price, holds the money of that one alone", () =>
    onNewObject("core", (sql) => {
      const tenant = new Tenant(sql);
      const id = tenant.spawn({ quotas: { nanoUsd: 1_000_000 } });
      expect(tenant.ask(id, { callId: "call_a" })).toMatchObject({ kind: "granted", reservedNanoUsd: 300_000 });
      expect(tenant.ask(id, { callId: "call_a" })).toMatchObject({ kind: "granted", reservedNanoUsd: 300_000 });
      const price = {
        inputNanoUsdPerMTok: 4_000_000_000,
        cachedInputNanoUsdPerMTok: 0,
        outputNanoUsdPerMTok: 4_000_000_000,
        version: "raised",
      };
      expect(tenant.ask(id, { callId: "call_a", price })).toMatchObject({ kind: "granted", reservedNanoUsd: 800_000 });
      expect(tenant.meter(id, "nanoUsd")).toMatchObject({ used: 0, reserved: 800_000 });
      expect(tenant.ask(id, { callId: "call_a", model: "q/n" })).toMatchObject({ reservedNanoUsd: 300_000 });
      expect(tenant.meter(id, "nanoUsd")).toMatchObject({ used: 0, reserved: 300_000 });
      expect(tenant.scheduler.ledger.get("call_a")).toMatchObject({ model: "q/n", state: "open" });
    }));
});
