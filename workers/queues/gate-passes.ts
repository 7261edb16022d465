import { setTimeout as sleep } from "node:timers/promises";
import { within } from "../../durable-objects/deadline.ts";
import { systemClock } from "../../durable-objects/ports.ts";
import { gateOf } from "../../durable-objects/stubs.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { isAccount } from "../../kernel/llm/gate/account-limits.ts";
import { Allowance, type Usage } from "../../kernel/llm/gate/allowance.ts";
import { outcomeOf } from "../../kernel/llm/gate/outcome.ts";
import type { ChatOutcome } from "../../kernel/llm/provider.ts";
import type { CallMessage } from "../../kernel/process/call-message.ts";
import type { Env } from "../env.ts";

/** Leave to make one call. Whoever has it gives it back, with the call's end if there was one. */
export type Pass = (outcome: ChatOutcome | null) => Promise<void>;

/**
 * One consumer's way through the gates of vendor accounts: it holds a slice for each tenant and account that it works for, so
 * that the gate is fair between tenants here too. A gate cannot call a consumer when its vendor fails, so a slice counts as fresh
 * for a moment only.
 */
export class GatePasses {
  readonly #env: Env;
  readonly #holder = `batch/${crypto.randomUUID()}`;
  readonly #desks = new Map<string, Desk>();

  constructor(env: Env) {
    this.#env = env;
  }

  /** Leave for `call`, or how many milliseconds the account wants to be left alone. */
  async enter({ tenant, model, tokens = 0 }: CallMessage): Promise<Pass | number> {
    const provider = model.slice(0, model.indexOf("/"));
    return isAccount(provider) ? this.#desk(tenant, provider).enter(tokens) : async () => {};
  }

  #desk(tenant: string, provider: string): Desk {
    const name = `${tenant}/${provider}`;
    const desk =
      this.#desks.get(name) ?? new Desk(this.#env, { tenant, provider, holder: `${this.#holder}/${tenant}` });
    this.#desks.set(name, desk);
    return desk;
  }
}

class Desk {
  readonly #env: Env;
  readonly #names: { tenant: string; provider: string; holder: string };
  readonly #allowance = new Allowance();
  /** The epochs of the calls under way. */
  readonly #running: number[] = [];
  readonly #waiting: number[] = [];
  #askedAt = 0;
  #lease: Promise<void> | null = null;
  #renewal: ReturnType<typeof setInterval> | undefined;

  constructor(env: Env, names: { tenant: string; provider: string; holder: string }) {
    this.#env = env;
    this.#names = names;
  }

  async enter(tokens: number): Promise<Pass | number> {
    this.#waiting.push(tokens);
    try {
      return await this.#admitted(tokens);
    } finally {
      this.#waiting.splice(this.#waiting.indexOf(tokens), 1);
    }
  }

  async #admitted(tokens: number): Promise<Pass | number> {
    const end = systemClock.now() + LIMITS.consumerGateMs;
    for (;;) {
      const now = systemClock.now();
      const fresh = now - this.#askedAt < LIMITS.gateIdleMs;
      if (fresh && this.#allowance.has(this.#running.length, tokens, now)) return this.#begin(tokens);
      const waitMs = this.#lease === null ? this.#allowance.askAt - now : 0;
      if (now + waitMs >= end) return Math.max(waitMs, LIMITS.gateAskMs);
      if (waitMs > 0) await sleep(waitMs);
      else await this.#ask();
    }
  }

  #begin(tokens: number): Pass {
    const epoch = this.#allowance.take(tokens, systemClock.now());
    this.#running.push(epoch);
    this.#renewal ??= setInterval(() => void this.#ask(), LIMITS.gateRenewMs);
    return async (outcome) => {
      this.#running.splice(this.#running.indexOf(epoch), 1);
      if (this.#running.length === 0) this.#rest();
      if (this.#note(outcome, epoch) || this.#running.length + this.#waiting.length === 0) await this.#tell();
    };
  }

  /** Whether the gate should hear of it at once. */
  #note(outcome: ChatOutcome | null, epoch: number): boolean {
    if (outcome === null) return false;
    const said = outcome.ok ? outcomeOf(null) : outcomeOf(outcome.error.code, outcome.error.retryAfterMs);
    return said !== null && this.#allowance.note(said, epoch, systemClock.now());
  }

  #rest(): void {
    clearInterval(this.#renewal);
    this.#renewal = undefined;
  }

  /** A lease of its own: one that is under way left before the news. */
  async #tell(): Promise<void> {
    await this.#lease;
    return this.#ask();
  }

  #ask(): Promise<void> {
    this.#lease ??= this.#request().finally(() => {
      this.#lease = null;
    });
    return this.#lease;
  }

  async #request(): Promise<void> {
    const { tenant, provider, holder } = this.#names;
    this.#askedAt = systemClock.now();
    const request = { tenant, holder, ...this.#allowance.request(this.#usage()) };
    const answer = await within(LIMITS.gateRpcMs, "lease", gateOf(this.#env, provider).lease(request));
    const now = systemClock.now();
    if (answer?.ok === true) this.#allowance.renewed(answer.value, this.#askedAt, now);
    else this.#allowance.unanswered(request, now);
  }

  #usage(): Usage {
    const { epoch } = this.#allowance;
    return {
      inUse: this.#running.length,
      inUseOfEpoch: this.#running.filter((begun) => begun === epoch).length,
      waiting: this.#waiting.length,
      callTokens: Math.max(0, ...this.#waiting),
    };
  }
}
