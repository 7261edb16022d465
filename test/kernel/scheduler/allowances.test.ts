import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../kernel/limits.ts";
import type { LeaseReply } from "../../../kernel/llm/gate/lease.ts";
import { Log } from "../../../kernel/log/log.ts";
import type { Sql } from "../../../kernel/ports.ts";
import { newBirth, newborn } from "../../../kernel/process/birth.ts";
import type { ControlBlock } from "../../../kernel/process/block.ts";
import { Scheduler } from "../../../kernel/scheduler/scheduler.ts";
import { onNewObject } from "../../support/on-object.ts";
import { nodeHash, SeededRandom, TestClock } from "../../support/ports.ts";

const PRICE = { inputNanoUsdPerMTok: 0, cachedInputNanoUsdPerMTok: 0, outputNanoUsdPerMTok: 0, version: "test" };

/** A tenant whose models are at two vendors, `slow` and `quick`, and agents that ask for them. */
class Tenant {
  readonly clock = new TestClock();
  readonly scheduler: Scheduler;
  readonly #random = new SeededRandom();

  constructor(sql: Sql) {
    const ports = { sql, clock: this.clock, hash: nodeHash };
    this.scheduler = new Scheduler(ports, new Log(ports), ["slow", "quick"]);
  }

  lent(gate: string, calls: number, change: Partial<LeaseReply> = {}): void {
    const now = this.clock.now();
    const credits = { calls: null, tokens: null };
    const reply = {
      calls,
      credits,
      sliceMs: LIMITS.gateSliceMs,
      retryMs: 0,
      epoch: 1,
      state: "closed",
      cause: null,
    } as const;
    const allowance = this.scheduler.allowances.at(gate);
    allowance.request(this.scheduler.allowances.usage(gate));
    allowance.renewed({ ...reply, ...change }, now, now);
  }

  spawn(): string {
    const spec = { name: "a", role: "r", goal: "g" };
    const ports = { clock: this.clock, random: this.#random, hash: nodeHash };
    const facts = { tenant: "acme", spec, model: "local/reader", contextTokens: 1_000, actor: "kernel" };
    const birth = newBirth(facts, ports);
    const { processes, counters, queue } = this.scheduler;
    processes.enter(newborn(birth), birth, queue.floor(), counters.next("changed"));
    return birth.id;
  }

  ask(agentId: string, provider: string) {
    const bounds = { price: PRICE, inputBound: 1, outputWanted: 1, rateTokens: 2, deadlineMs: 1_000 };
    const call = { callId: `call_${agentId}`, lane: "interactive", provider, model: `${provider}/m` } as const;
    return this.scheduler.settleAndGrant(this.#report(agentId), { ...call, ...bounds });
  }

  rest(agentId: string, block: Partial<ControlBlock>) {
    return this.scheduler.settleAndGrant(this.#report(agentId, block), null);
  }

  #report(agentId: string, change: Partial<ControlBlock> = {}) {
    const stored = JSON.parse(this.scheduler.processes.get(agentId)?.block ?? "{}") as ControlBlock;
    return { agentId, seq: 1, block: { ...stored, ...change }, settlements: [], segments: [], questions: [] };
  }
}

function story(play: (tenant: Tenant) => void): Promise<void> {
  return onNewObject("core", (sql) => play(new Tenant(sql)));
}

describe("a vendor account that has no room", () => {
  test("makes its callers wait without a slot, and holds up nobody else", () =>
    story((tenant) => {
      tenant.lent("slow", 1);
      tenant.lent("quick", 1);
      const [first, second, other] = [tenant.spawn(), tenant.spawn(), tenant.spawn()];
      expect(tenant.ask(first, "slow")).toMatchObject({ kind: "granted" });
      expect(tenant.ask(second, "slow")).toEqual({ kind: "queued" });
      expect(tenant.scheduler.slots.of(second)).toBeNull();
      expect(tenant.ask(other, "quick")).toMatchObject({ kind: "granted" });
      expect(tenant.ask(tenant.spawn(), "local")).toMatchObject({ kind: "granted" });
      expect(tenant.scheduler.dispatch()).toEqual([]);
      tenant.rest(first, { state: "waiting", waitReason: "message" });
      expect(tenant.scheduler.dispatch()).toEqual([second]);
      expect(tenant.ask(second, "slow")).toMatchObject({ kind: "granted" });
    }));

  test("goes round: who has been served yields to who waits", () =>
    story((tenant) => {
      tenant.lent("slow", 1);
      const [first, second] = [tenant.spawn(), tenant.spawn()];
      tenant.ask(first, "slow");
      tenant.ask(second, "slow");
      expect(tenant.ask(first, "slow")).toEqual({ kind: "queued" });
      expect(tenant.scheduler.dispatch()).toHaveLength(1);
    }));

  test("lends nothing any more when its slice is over", () =>
    story((tenant) => {
      tenant.lent("slow", 8);
      tenant.clock.advance(LIMITS.gateSliceMs);
      expect(tenant.ask(tenant.spawn(), "slow")).toEqual({ kind: "queued" });
    }));

  test("is named when the vendor is the reason", () =>
    story((tenant) => {
      tenant.lent("slow", 0, { state: "open", cause: "provider_unavailable" });
      const vendor = { provider: "slow", code: "provider_unavailable" };
      expect(tenant.ask(tenant.spawn(), "slow")).toEqual({ kind: "queued", vendor });
    }));
});

describe("a process that waits for a call", () => {
  test("keeps its place when it reports where it stands, and the slot that it has not heard of", () =>
    story((tenant) => {
      tenant.lent("slow", 0);
      const agent = tenant.spawn();
      tenant.ask(agent, "slow");
      tenant.rest(agent, { state: "ready" });
      tenant.lent("slow", 1);
      expect(tenant.scheduler.dispatch()).toEqual([agent]);
      tenant.rest(agent, { state: "waiting", waitReason: "llm" });
      expect(tenant.scheduler.slots.of(agent)?.pushed).toBe(true);
      tenant.rest(agent, { state: "stopped" });
      expect(tenant.scheduler.slots.of(agent)).toBeNull();
    }));
});
