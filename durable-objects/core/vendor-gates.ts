import type { ErrorCode } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { coreHolder } from "../../kernel/llm/gate/lease.ts";
import type { AgentReport, GrantRequest } from "../../kernel/scheduler/grant.ts";
import { type Errand, NO_ERRAND } from "../../kernel/scheduler/run-queue.ts";
import type { Scheduler } from "../../kernel/scheduler/scheduler.ts";
import { within } from "../deadline.ts";
import type { ObjectEnv } from "../env.ts";
import { systemClock } from "../ports.ts";
import { gateOf } from "../stubs.ts";

/**
 * The core's way to the gates of vendor accounts: it asks for slices before agents need them, brings what calls ended like, and
 * gives back what nobody uses. The scheduler spends the slices (`kernel/scheduler/allowances.ts`).
 *
 * Rule for callers: after an `await` here the scheduler's tables are read again.
 */

/** Agents that are asking now, and the largest call among them. */
interface Line {
  asking: number;
  callTokens: number;
}

const NOBODY: Line = { asking: 0, callTokens: 0 };
/** A lease that is under way does not know of who came after it left; the next one does. */
const ROUNDS = 2;

export class VendorGates {
  readonly #env: ObjectEnv;
  readonly #tenant: string;
  readonly #scheduler: Scheduler;
  /** Leases under way, one a gate. */
  readonly #leases = new Map<string, Promise<void>>();
  readonly #lines = new Map<string, Line>();
  readonly #reopened = new Set<string>();

  constructor(env: ObjectEnv, tenant: string, scheduler: Scheduler) {
    this.#env = env;
    this.#tenant = tenant;
    this.#scheduler = scheduler;
  }

  /** Brings bad news to the gate, and asks it for what `next` needs and the slice does not hold. With a live slice: nothing. */
  async prepare(report: AgentReport, next: GrantRequest | null): Promise<void> {
    const { allowances } = this.#scheduler;
    const { agentId } = report;
    const errand = next === null || next.lane !== "interactive" ? NO_ERRAND : allowances.errandOf(next);
    const news = this.#note(report);
    this.#enter(errand);
    try {
      if (news !== null) await this.#lease(news, agentId);
      for (let round = 0; round < ROUNDS && this.#needs(errand, agentId); round++)
        await this.#ask(errand.gate, agentId);
    } finally {
      this.#leave(errand);
    }
  }

  /** Asks the gates that are due. */
  async renew(): Promise<void> {
    const { allowances } = this.#scheduler;
    const now = systemClock.now();
    const due = allowances.active().filter((gate) => (allowances.dueAt(gate) ?? Number.POSITIVE_INFINITY) <= now);
    await Promise.all(due.map((gate) => this.#ask(gate)));
  }

  /** A gate says that its vendor is down, or there again. */
  async moved(gate: string, cause: ErrorCode | null, retryMs: number): Promise<void> {
    const { allowances } = this.#scheduler;
    if (!allowances.active().includes(gate)) return;
    await this.#leases.get(gate);
    allowances.at(gate).revoke(retryMs, cause, systemClock.now());
    if (cause === null) await this.#ask(gate);
  }

  /**
   * The agents that pause because a vendor failed them, once it is there again. Where all of them pause, and the vendor may be
   * asked, one of them: somebody has to make the probe.
   */
  released(): string[] {
    const { allowances } = this.#scheduler;
    const agents = [...this.#reopened].flatMap((gate) => this.#scheduler.stalledAt(gate));
    this.#reopened.clear();
    return [...agents, ...allowances.active().flatMap((gate) => this.#prober(gate))];
  }

  #prober(gate: string): string[] {
    const allowance = this.#scheduler.allowances.at(gate);
    const now = systemClock.now();
    const { inUse, waiting } = this.#scheduler.allowances.usage(gate);
    if (allowance.cause === null || allowance.askAt > now || inUse + waiting > 0) return [];
    const [agentId] = this.#scheduler.stalledAt(gate);
    if (agentId === undefined) allowance.calm();
    else allowance.revoke(LIMITS.gateAskMs, allowance.cause, now);
    return agentId === undefined ? [] : [agentId];
  }

  /** When a gate is to be asked next, in milliseconds since the epoch, or null. */
  dueAt(): number | null {
    const { allowances } = this.#scheduler;
    const due = allowances
      .active()
      .map((gate) => allowances.dueAt(gate))
      .filter((at) => at !== null);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** Notes how calls ended; answers the gate that has to hear of it now. Only calls that a slot stands for are known here. */
  #note({ agentId, settlements }: AgentReport): string | null {
    const { slots, ledger, allowances } = this.#scheduler;
    const slot = settlements.length === 0 ? null : slots.of(agentId);
    if (slot === null || slot.gate === "" || slot.pushed) return null;
    const open = settlements.filter(({ callId }) => ledger.get(callId)?.state === "open");
    const outcomes = open.map(({ outcome }) => outcome).filter((outcome) => outcome !== undefined);
    const allowance = allowances.at(slot.gate);
    const urgent = outcomes.map((outcome) => allowance.note(outcome, slot.epoch, systemClock.now()));
    return urgent.includes(true) ? slot.gate : null;
  }

  #needs(errand: Errand, agentId: string): boolean {
    const { allowances, slots } = this.#scheduler;
    if (errand.gate === "") return false;
    const held = slots.of(agentId);
    if (held !== null && allowances.stands(held, errand)) return false;
    if (this.#leases.has(errand.gate)) return true;
    return !allowances.has(errand, agentId) && allowances.at(errand.gate).askAt <= systemClock.now();
  }

  #enter({ gate, tokens }: Errand): void {
    if (gate === "") return;
    const { asking, callTokens } = this.#lines.get(gate) ?? NOBODY;
    this.#lines.set(gate, { asking: asking + 1, callTokens: Math.max(callTokens, tokens) });
  }

  #leave({ gate }: Errand): void {
    const line = this.#lines.get(gate) ?? NOBODY;
    if (line.asking <= 1) this.#lines.delete(gate);
    else this.#lines.set(gate, { ...line, asking: line.asking - 1 });
  }

  /** A lease of its own, after the one that is under way: that one left before the news. */
  async #lease(gate: string, agentId: string): Promise<void> {
    await this.#leases.get(gate);
    return this.#ask(gate, agentId);
  }

  /** Whoever needs a lease while one is under way waits for that. `agentId`: an agent whose last call has ended. */
  async #ask(gate: string, agentId = ""): Promise<void> {
    const before = this.#leases.get(gate);
    if (before !== undefined) return before;
    const lease = this.#request(gate, agentId).finally(() => this.#leases.delete(gate));
    this.#leases.set(gate, lease);
    return lease;
  }

  async #request(gate: string, agentId: string): Promise<void> {
    const { allowances } = this.#scheduler;
    const allowance = allowances.at(gate);
    const askedAt = systemClock.now();
    const usage = allowances.usage(gate, { agentId, ...(this.#lines.get(gate) ?? NOBODY) });
    const request = { tenant: this.#tenant, holder: coreHolder(this.#tenant), ...allowance.request(usage) };
    const answer = await within(LIMITS.gateRpcMs, "lease", gateOf(this.#env, gate).lease(request));
    const now = systemClock.now();
    if (answer === null || !answer.ok) return allowance.unanswered(request, now);
    if (allowance.renewed(answer.value, askedAt, now)) this.#reopened.add(gate);
  }
}
