import { describe, expect, test } from "vitest";
import { Log } from "../../../kernel/log/log.ts";
import type { Sql } from "../../../kernel/ports.ts";
import { newBirth, newborn } from "../../../kernel/process/birth.ts";
import type { Quotas } from "../../../kernel/process/spec.ts";
import { TENANT } from "../../../kernel/scheduler/budgets.ts";
import type { GrantRequest, Settlement } from "../../../kernel/scheduler/grant.ts";
import { blockOf } from "../../../kernel/scheduler/process-table.ts";
import { Scheduler } from "../../../kernel/scheduler/scheduler.ts";
import { onNewObject } from "../../support/on-object.ts";
import { nodeHash, SeededRandom, TestClock } from "../../support/ports.ts";

/** Meters of requests a minute and of time, warnings, and what a subtree stores: a clock that moves when told. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

class Tenant {
  readonly clock = new TestClock();
  readonly log: Log;
  readonly scheduler: Scheduler;
  readonly #random = new SeededRandom();

  constructor(sql: Sql) {
    const ports = { sql, clock: this.clock, hash: nodeHash };
    this.log = new Log(ports);
    this.scheduler = new Scheduler(ports, this.log);
  }

  spawn(quotas: Quotas = {}, parentId?: string): string {
    const spec = { name: "a", role: "r", goal: "g", ...(parentId === undefined ? {} : { parentId }) };
    const facts = { tenant: "acme", spec, model: "local/reader", contextTokens: 1_000, actor: "kernel" };
    const birth = newBirth(facts, { clock: this.clock, random: this.#random, hash: nodeHash });
    this.scheduler.processes.enter(newborn(birth), birth, 0, this.scheduler.counters.next("changed"));
    this.scheduler.budgets.set(birth.id, quotas);
    return birth.id;
  }

  ask(agentId: string, callId: string) {
    const price = { inputNanoUsdPerMTok: 1, cachedInputNanoUsdPerMTok: 0, outputNanoUsdPerMTok: 1, version: "test" };
    const model = { lane: "interactive" as const, provider: "p", model: "p/m", price };
    const next = { ...model, callId, inputBound: 10, outputWanted: 20, rateTokens: 30, deadlineMs: 300_000 };
    return this.#report(agentId, [], next);
  }

  settle(agentId: string, callId: string, tokens: number) {
    const usage = { promptTokens: tokens, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0, estimated: false };
    return this.#report(agentId, [{ callId, state: "settled", usage, costNanoUsd: 0 }], null);
  }

  store(agentId: string, files: number, fileBytes: number, seq = 1) {
    return this.#report(agentId, [], null, { stored: { pages: 0, pageBytes: 0, files, fileBytes }, seq });
  }

  /** The process has used `cpuMs` since it began; `awaitedCpuMs` = its next run waits for a quota. */
  burn(agentId: string, cpuMs: number, { seq = 1, awaitedCpuMs = null as number | null } = {}) {
    const entry = this.scheduler.processes.get(agentId);
    const waits = awaitedCpuMs === null ? {} : { state: "waiting", waitReason: "quota" };
    const block = entry === null ? {} : { ...blockOf(entry), waitReason: null, ...waits };
    return this.#report(agentId, [], null, { cpuMs, seq, awaitedCpuMs, block });
  }

  meter(subject: string, metric: string) {
    return this.scheduler.budgets.meters(subject).find((row) => row.metric === metric);
  }

  warnings() {
    return this.log.after(0, 100).filter(({ kind }) => kind === "quota.warning");
  }

  #report(agentId: string, settlements: Settlement[], next: GrantRequest | null, more: object = {}) {
    const entry = this.scheduler.processes.get(agentId);
    if (entry === null) throw new Error("there is no such process");
    const report = { agentId, seq: 1, block: blockOf(entry), settlements, segments: [], questions: [], ...more };
    return this.scheduler.settleAndGrant(report, next);
  }
}

const story = (tell: (tenant: Tenant) => void) => () => onNewObject("core", (sql) => tell(new Tenant(sql)));

describe("requests a minute", () => {
  test(
    "are calls of the process and of all below it; the next minute gives room again, and somebody wakes them then",
    story((tenant) => {
      const parent = tenant.spawn({ requestsPerMinute: 2 });
      const child = tenant.spawn({}, parent);
      expect(tenant.ask(child, "call_1").kind).toBe("granted");
      expect(tenant.ask(parent, "call_2").kind).toBe("granted");
      expect(tenant.ask(child, "call_3")).toMatchObject({
        kind: "denied",
        subject: parent,
        metric: "requestsPerMinute",
      });
      expect(tenant.scheduler.releaseQuotaWaiters()).toEqual([]);
      const at = tenant.scheduler.nextPeriod() ?? 0;
      expect(at - tenant.clock.now()).toBe(60_000);
      tenant.clock.advance(60_000);
      expect(tenant.scheduler.releaseQuotaWaiters()).toEqual([child]);
      expect(tenant.ask(child, "call_3").kind).toBe("granted");
    }),
  );

  test(
    "of the tenant are those at its door: calls do not count",
    story((tenant) => {
      tenant.scheduler.budgets.set(TENANT, { requestsPerMinute: 1 });
      const agent = tenant.spawn();
      expect(tenant.ask(agent, "call_1").kind).toBe("granted");
      expect(tenant.ask(agent, "call_2").kind).toBe("granted");
    }),
  );
});

describe("time", () => {
  test(
    "is counted from the grant of a step to the report of its end, for the process and all above it",
    story((tenant) => {
      const parent = tenant.spawn({ wallMs: 5_000 });
      const child = tenant.spawn({ wallMs: { limit: 100_000, per: "day" } }, parent);
      expect(tenant.ask(child, "call_1").kind).toBe("granted");
      tenant.clock.advance(5_000);
      tenant.settle(child, "call_1", 5);
      expect(tenant.meter(child, "wallMs")).toMatchObject({ used: 5_000, reserved: 0, per: "day" });
      expect(tenant.ask(parent, "call_2")).toMatchObject({ kind: "denied", subject: parent, metric: "wallMs" });
      expect(tenant.scheduler.nextPeriod()).toBeNull();
      tenant.scheduler.setQuotas(parent, { wallMs: 6_000 });
      expect(tenant.scheduler.releaseQuotaWaiters()).toEqual([parent]);
    }),
  );

  test(
    "that was used before a limit is set counts against it",
    story((tenant) => {
      const agent = tenant.spawn();
      tenant.ask(agent, "call_1");
      tenant.clock.advance(700);
      tenant.settle(agent, "call_1", 5);
      tenant.scheduler.setQuotas(agent, { wallMs: 1_000 });
      expect(tenant.meter(agent, "wallMs")).toMatchObject({ used: 700 });
    }),
  );
});

describe("a budget that passes four fifths", () => {
  test(
    "is entered once, with whose it is",
    story((tenant) => {
      const agent = tenant.spawn({ tokens: 1_000 });
      for (const [index, tokens] of [500, 200, 100, 50].entries()) {
        tenant.ask(agent, `call_${index}`);
        tenant.settle(agent, `call_${index}`, tokens);
      }
      expect(tenant.warnings().map(({ data }) => data)).toEqual([
        { subject: agent, metric: "tokens", limit: 1_000, used: 800, per: "total" },
      ]);
    }),
  );
});

describe("what a subtree stores", () => {
  test(
    "counts against all above it, and what is left is told; too much of it holds calls up until there is less",
    story((tenant) => {
      tenant.scheduler.budgets.set(TENANT, { fileBytes: 1_000 });
      const parent = tenant.spawn({ fileBytes: 500 });
      const child = tenant.spawn({}, parent);
      tenant.store(parent, 1, 100);
      tenant.store(child, 1, 150);
      expect(tenant.meter(parent, "fileBytes")).toMatchObject({ used: 250 });
      expect(tenant.meter(TENANT, "fileBytes")).toMatchObject({ used: 250 });
      expect(tenant.scheduler.standing(child)).toMatchObject({
        room: { fileBytes: { left: 250, subject: parent } },
        stored: { files: 1, fileBytes: 150 },
      });
      tenant.store(child, 1, 450, 2);
      tenant.store(child, 1, 150, 1);
      expect(tenant.meter(parent, "fileBytes")).toMatchObject({ used: 550 });
      expect(tenant.ask(parent, "call_1")).toMatchObject({ kind: "denied", subject: parent, metric: "fileBytes" });
      tenant.store(child, 1, 400, 3);
      expect(tenant.scheduler.releaseQuotaWaiters()).toEqual([parent]);
    }),
  );
});

describe("CPU of the sandbox", () => {
  test(
    "counts once against the process, its ancestors and the tenant, however often and late it is reported",
    story((tenant) => {
      const parent = tenant.spawn({ cpuMs: 1_000 });
      const child = tenant.spawn({ cpuMs: 1_000 }, parent);
      tenant.scheduler.budgets.set(TENANT, { cpuMs: 1_000 });
      tenant.burn(child, 300, { seq: 2 });
      tenant.burn(child, 300, { seq: 2 });
      tenant.burn(child, 100, { seq: 1 });
      tenant.burn(child, 500, { seq: 3 });
      for (const subject of [child, parent, TENANT]) expect(tenant.meter(subject, "cpuMs")?.used).toBe(500);
      expect(tenant.scheduler.standing(child).cpu).toEqual({
        countedMs: 500,
        above: { subject: parent, limit: 1_000, used: 500 },
      });
    }),
  );

  test(
    "counts what an erased process says last",
    story((tenant) => {
      const parent = tenant.spawn({ cpuMs: 1_000 });
      const child = tenant.spawn({}, parent);
      const { processes } = tenant.scheduler;
      const entry = processes.get(child);
      processes.erase(child, tenant.clock.now(), tenant.scheduler.counters.next("changed"));
      if (entry === null) throw new Error("there was no such process");
      const report = { agentId: child, seq: 2, block: blockOf(entry), settlements: [], segments: [], questions: [] };
      for (let told = 0; told < 2; told++)
        expect(tenant.scheduler.settleAndGrant({ ...report, cpuMs: 300 }, null).kind).toBe("gone");
      expect(tenant.meter(parent, "cpuMs")?.used).toBe(300);
    }),
  );

  test(
    "keeps a run that waits for it until there is room for all that it may use: by a raise, or in the next hour",
    story((tenant) => {
      const parent = tenant.spawn({ cpuMs: { limit: 1_000, per: "hour" } });
      const child = tenant.spawn({}, parent);
      tenant.burn(child, 700, { awaitedCpuMs: 375 });
      expect(tenant.scheduler.releaseQuotaWaiters()).toEqual([]);
      tenant.scheduler.setQuotas(parent, { cpuMs: { limit: 1_074, per: "hour" } });
      expect(tenant.scheduler.releaseQuotaWaiters()).toEqual([]);
      tenant.scheduler.setQuotas(parent, { cpuMs: { limit: 1_075, per: "hour" } });
      expect(tenant.scheduler.releaseQuotaWaiters()).toEqual([child]);
      tenant.burn(child, 1_075, { seq: 2, awaitedCpuMs: 375 });
      expect(tenant.scheduler.releaseQuotaWaiters()).toEqual([]);
      tenant.clock.advance((tenant.scheduler.nextPeriod() ?? 0) - tenant.clock.now());
      expect(tenant.scheduler.releaseQuotaWaiters()).toEqual([child]);
      tenant.burn(child, 1_075, { seq: 3 });
      expect(tenant.scheduler.releaseQuotaWaiters()).toEqual([]);
    }),
  );

  test(
    "that was used in this hour, this day or ever counts against a limit that is set later, for those below too",
    story((tenant) => {
      const parent = tenant.spawn();
      const child = tenant.spawn({}, parent);
      const usedPer = (per: "hour" | "day" | "total") => {
        tenant.scheduler.budgets.unset(parent, "cpuMs");
        tenant.scheduler.setQuotas(parent, { cpuMs: { limit: 9_000, per } });
        return tenant.meter(parent, "cpuMs")?.used;
      };
      tenant.clock.advance(DAY_MS - (tenant.clock.now() % DAY_MS));
      tenant.burn(child, 100);
      tenant.clock.advance(HOUR_MS);
      tenant.burn(child, 130, { seq: 2 });
      tenant.burn(parent, 1);
      expect([usedPer("hour"), usedPer("day"), usedPer("total")]).toEqual([31, 131, 131]);
      tenant.clock.advance(DAY_MS);
      expect([usedPer("hour"), usedPer("day"), usedPer("total")]).toEqual([0, 0, 131]);
    }),
  );
});
