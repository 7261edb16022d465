import { err, ok, type Result } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Account } from "../kernel/llm/gate/account-limits.ts";
import { Allowance, type Usage } from "../kernel/llm/gate/allowance.ts";
import { outcomeOf } from "../kernel/llm/gate/outcome.ts";
import type { CallEnd, Pass } from "../kernel/llm/gate/pass.ts";
import { within } from "./deadline.ts";
import type { ObjectEnv } from "./env.ts";
import { systemClock } from "./ports.ts";
import { gateOf } from "./stubs.ts";

interface Names {
  tenant: string;
  provider: Account;
  holder: string;
}

/** Somebody in line. */
interface Waiter {
  tokens: number;
  until: number;
  wake(): void;
}

/** A call under way. */
interface Running {
  epoch: number;
  heardAt: number;
}

/**
 * A holder's slice of one account for one tenant. A gate cannot call it when its vendor fails, so the slice counts as fresh for
 * a moment only.
 *
 * In a Worker it is shared by requests that may each die with their client, and what a dead request began never ends: its RPC
 * is given up after its deadline, its place in line when its wait is over, its call when it was not heard of for a while.
 * So every wait here has a timer of its own, and what others promise only ends it earlier.
 */
export class GateDesk {
  readonly #env: ObjectEnv;
  readonly #names: Names;
  readonly #failing: Set<Account>;
  readonly #allowance = new Allowance();
  readonly #running = new Set<Running>();
  readonly #line = new Set<Waiter>();
  #askedAt = 0;
  #answered = true;
  #asking: { over: Promise<void>; until: number } | null = null;

  constructor(env: ObjectEnv, names: Names, failing: Set<Account>) {
    this.#env = env;
    this.#names = names;
    this.#failing = failing;
  }

  get isIdle(): boolean {
    const { inUse, waiting } = this.#usage(systemClock.now());
    return inUse + waiting === 0;
  }

  async enter(tokens: number, waitMs: number): Promise<Result<Pass>> {
    const waiter: Waiter = { tokens, until: systemClock.now() + waitMs, wake: () => {} };
    this.#line.add(waiter);
    try {
      return await this.#admitted(waiter);
    } finally {
      this.#line.delete(waiter);
    }
  }

  async #admitted(waiter: Waiter): Promise<Result<Pass>> {
    for (;;) {
      const now = systemClock.now();
      const fresh = now - this.#askedAt < LIMITS.gateIdleMs;
      if (fresh && this.#allowance.has(this.#inUse(now), waiter.tokens, now)) return ok(this.#begin(waiter.tokens));
      const waitMs = this.#isAsking(now) ? 0 : this.#allowance.askAt - now;
      if (now + waitMs >= waiter.until) return this.#refusal(waitMs);
      if (waitMs > 0) await pause(waiter, waitMs);
      else await this.#ask();
    }
  }

  #refusal(waitMs: number): Result<never> {
    const { provider } = this.#names;
    const { cause } = this.#allowance;
    const later = { retryAfterMs: Math.max(waitMs, LIMITS.gateAskMs) };
    if (!this.#answered) return err("unavailable", `The gate of ${provider} does not answer; try again.`, later);
    if (cause === null)
      return err("rate_limited", `All that the account at ${provider} allows is in use; try again.`, later);
    if (cause === "provider_rate_limited")
      return err(cause, `${provider} asked for a pause, and nothing is sent to it until that is over.`, later);
    return err("unavailable", `${provider} fails (${cause}) and is left alone for a while; try again.`, later);
  }

  #begin(tokens: number): Pass {
    const now = systemClock.now();
    const call = { epoch: this.#allowance.take(tokens, now), heardAt: now };
    this.#running.add(call);
    const beat = setInterval(() => this.#beat(call), LIMITS.gateBeatMs);
    const end = async (outcome: CallEnd | null) => {
      clearInterval(beat);
      await this.#end(call, outcome);
    };
    return { careful: this.#failing.has(this.#names.provider), end };
  }

  #beat(call: Running): void {
    call.heardAt = systemClock.now();
    if (call.heardAt - this.#askedAt >= LIMITS.gateRenewMs) void this.#ask();
  }

  async #end(call: Running, outcome: CallEnd | null): Promise<void> {
    this.#running.delete(call);
    const isNews = outcome !== null && this.#note(outcome, call.epoch);
    for (const waiter of this.#line) {
      waiter.wake();
      break;
    }
    if (isNews || this.isIdle) await this.#tell();
  }

  /** Whether the gate should hear of it at once. */
  #note(outcome: CallEnd, epoch: number): boolean {
    const said = outcome.ok ? outcomeOf(null) : outcomeOf(outcome.error.code, outcome.error.retryAfterMs);
    if (said?.sign === "unavailable") this.#failing.add(this.#names.provider);
    if (said?.sign === "ok") this.#failing.delete(this.#names.provider);
    return said !== null && this.#allowance.note(said, epoch, systemClock.now());
  }

  /** A lease of its own: one that is under way left before the news. */
  async #tell(): Promise<void> {
    if (this.#isAsking(systemClock.now())) await this.#ask();
    return this.#ask();
  }

  #isAsking(now: number): boolean {
    return this.#asking !== null && now < this.#asking.until;
  }

  async #ask(): Promise<void> {
    const now = systemClock.now();
    if (this.#asking !== null && now < this.#asking.until) {
      await within(this.#asking.until - now, "lease", this.#asking.over);
      return;
    }
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const asking = { over, until: now + LIMITS.gateRpcMs + LIMITS.gateAskMs };
    this.#asking = asking;
    try {
      await this.#request();
    } finally {
      if (this.#asking === asking) this.#asking = null;
      resolve();
    }
  }

  async #request(): Promise<void> {
    const { tenant, provider, holder } = this.#names;
    const askedAt = systemClock.now();
    this.#askedAt = askedAt;
    const request = { tenant, holder, ...this.#allowance.request(this.#usage(askedAt)) };
    const answer = await within(LIMITS.gateRpcMs, "lease", gateOf(this.#env, provider).lease(request));
    const now = systemClock.now();
    this.#answered = answer?.ok === true;
    if (answer?.ok === true) this.#allowance.renewed(answer.value, askedAt, now);
    else this.#allowance.unanswered(request, now);
  }

  #inUse(now: number): number {
    for (const call of this.#running) if (now - call.heardAt > LIMITS.gateSliceMs) this.#running.delete(call);
    return this.#running.size;
  }

  #usage(now: number): Usage {
    const { epoch } = this.#allowance;
    const inUse = this.#inUse(now);
    const line = [...this.#line].filter(({ until }) => now < until);
    return {
      inUse,
      inUseOfEpoch: [...this.#running].filter((call) => call.epoch === epoch).length,
      waiting: line.length,
      callTokens: line.reduce((most, { tokens }) => Math.max(most, tokens), 0),
    };
  }
}

/** Until somebody wakes the waiter, at most `ms`. */
async function pause(waiter: Waiter, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  waiter.wake = resolve;
  await promise;
  clearTimeout(timer);
}
