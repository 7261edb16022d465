import type { AccountLimits } from "../../../../kernel/llm/gate/account-limits.ts";
import { Allowance } from "../../../../kernel/llm/gate/allowance.ts";
import { Gate } from "../../../../kernel/llm/gate/gate.ts";
import type { CallOutcome } from "../../../../kernel/llm/gate/outcome.ts";
import type { Sql } from "../../../../kernel/ports.ts";
import { SeededRandom, TestClock } from "../../../support/ports.ts";

/**
 * Tenants, the gate of their vendor's account on a real object's tables, and a vendor that keeps a journal; time passes when told.
 * The holders do what cores do, with the same `Allowance`.
 */

const TICK_MS = 50;
export const OK: CallOutcome = { sign: "ok", code: null };
export const DOWN: CallOutcome = { sign: "unavailable", code: "provider_unavailable" };

export interface VendorCall {
  tenant: string;
  begun: number;
  ended: number;
}

interface Running extends VendorCall {
  epoch: number;
}

export class TestHolder {
  readonly tenant: string;
  readonly allowance = new Allowance();
  running: Running[] = [];
  waiting = 0;
  dead = false;
  readonly callTokens: number;

  constructor(tenant: string, callTokens: number) {
    this.tenant = tenant;
    this.callTokens = callTokens;
  }

  usage() {
    const inUseOfEpoch = this.running.filter(({ epoch }) => epoch === this.allowance.epoch).length;
    return { inUse: this.running.length, inUseOfEpoch, waiting: this.waiting, callTokens: this.callTokens };
  }
}

export class VendorWorld {
  readonly clock = new TestClock();
  readonly journal: VendorCall[] = [];
  readonly holders: TestHolder[] = [];
  /** What a call that ends now ends like. */
  vendor: () => CallOutcome = () => OK;
  callMs = 300;
  gate: Gate;
  readonly #sql: Sql;
  readonly #limits: AccountLimits;

  constructor(sql: Sql, limits: Partial<AccountLimits>) {
    this.#sql = sql;
    this.#limits = { concurrency: 8, requestsPerMinute: null, tokensPerMinute: null, ...limits };
    this.gate = this.#open();
  }

  holder(tenant: string, waiting: number, callTokens = 100): TestHolder {
    const holder = new TestHolder(tenant, callTokens);
    holder.waiting = waiting;
    this.holders.push(holder);
    return holder;
  }

  /** The gate's object is evicted: its memory is gone. */
  evict(): void {
    this.gate = this.#open();
  }

  pass(ms: number): void {
    for (let left = ms; left > 0; left -= TICK_MS) {
      this.clock.advance(TICK_MS);
      for (const holder of this.holders) if (!holder.dead) this.#tick(holder);
    }
  }

  lease(holder: TestHolder): void {
    const { tenant, allowance } = holder;
    const now = this.clock.now();
    const { reply, moved } = this.gate.lease({ tenant, holder: tenant, ...allowance.request(holder.usage()) });
    allowance.renewed(reply, now, now);
    if (!moved) return;
    const { pausedMs, lastError } = this.gate.view();
    const others = this.holders.filter((other) => other !== holder);
    for (const other of others) other.allowance.revoke(pausedMs, pausedMs > 0 ? (lastError?.code ?? null) : null, now);
  }

  began(tenant: string): number {
    return this.journal.filter((call) => call.tenant === tenant).length;
  }

  get underWay(): number {
    return this.holders.reduce((sum, { running }) => sum + running.length, 0);
  }

  /** The most calls that the vendor saw at once. */
  get mostAtOnce(): number {
    const at = (time: number) => this.journal.filter(({ begun, ended }) => begun <= time && ended > time).length;
    return Math.max(0, ...this.journal.map(({ begun }) => at(begun)));
  }

  /** The most calls that began within any minute. */
  get mostInAMinute(): number {
    const begins = this.journal.map(({ begun }) => begun);
    return Math.max(0, ...begins.map((from) => begins.filter((at) => at >= from && at < from + 60_000).length));
  }

  #open(): Gate {
    return new Gate({ sql: this.#sql, clock: this.clock, random: new SeededRandom() }, this.#limits);
  }

  #tick(holder: TestHolder): void {
    const now = this.clock.now();
    const { allowance } = holder;
    const ended = holder.running.filter((call) => call.ended <= now);
    holder.running = holder.running.filter((call) => call.ended > now);
    const news = ended.map(({ epoch }) => {
      const outcome = this.vendor();
      if (outcome.sign !== "ok") holder.waiting += 1;
      return allowance.note(outcome, epoch, now);
    });
    if (news.includes(true)) this.lease(holder);
    this.#begin(holder);
    const due = allowance.dueAt(holder.usage(), now);
    if (due === null || due > now) return;
    this.lease(holder);
    this.#begin(holder);
  }

  #begin(holder: TestHolder): void {
    const now = this.clock.now();
    while (holder.waiting > 0 && holder.allowance.has(holder.running.length, holder.callTokens, now)) {
      const epoch = holder.allowance.take(holder.callTokens, now);
      const call = { tenant: holder.tenant, begun: now, ended: now + this.callMs, epoch };
      holder.waiting -= 1;
      holder.running.push(call);
      this.journal.push(call);
    }
  }
}
