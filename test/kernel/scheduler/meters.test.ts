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
