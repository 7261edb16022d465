import { LIMITS } from "../../limits.ts";
import type { Clock, Random, Sql } from "../../ports.ts";
import type { AccountLimits } from "./account-limits.ts";
import { type AccountState, readAccount, writeAccount } from "./account-row.ts";
import { type BreakerState, heard, probing, wantsProbe, withoutProbe } from "./breaker.ts";
import { fairShares, type Taker, turnsOf } from "./fair-shares.ts";
import { type Holder, Holders } from "./holders.ts";
import type { Credits, GateView, HeardOutcome, LeaseReply, LeaseRequest } from "./lease.ts";
import { covers, msUntil, type Rate, rateOf, refilled } from "./rate-meter.ts";

type CallTaker = Taker & { callTokens: number };

/** What is said where the vendor is down and nobody knows better. */
const DOWN = "provider_unavailable";

/**
 * The gate of one vendor account: it lends what the vendor allows, calls side by side and calls and tokens a minute, in slices of
 * seconds, fairly between tenants, and nothing while the vendor wants none.
 *
 * Its tables are the truth: a gate that was evicted or killed goes on where it stood. A lease writes two rows, whatever the
 * number of calls that begin under it. Only fairness is kept in memory, because forgetting it does no harm.
 *
 * All methods are synchronous and belong inside one transaction.
 */
export class Gate {
  readonly #sql: Sql;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limits: AccountLimits;
  readonly #holders: Holders;
  readonly #callRate: Rate | null;
  readonly #tokenRate: Rate | null;
  /** What each tenant was served, in tokens where they are metered, else in calls. */
  readonly #served = new Map<string, number>();

  constructor(ports: { sql: Sql; clock: Clock; random: Random }, limits: AccountLimits) {
    this.#sql = ports.sql;
    this.#clock = ports.clock;
    this.#random = ports.random;
    this.#limits = limits;
    this.#holders = new Holders(ports.sql);
    this.#callRate = limits.requestsPerMinute === null ? null : rateOf(limits.requestsPerMinute);
    this.#tokenRate = limits.tokensPerMinute === null ? null : rateOf(limits.tokensPerMinute);
  }

  /** Takes in what the holder heard and gave back, then lends what it may have. `moved` = all holders have to hear of it. */
  lease(request: LeaseRequest): { reply: LeaseReply; moved: boolean } {
    const now = this.#clock.now();
    const account = this.#account(now);
    const before = account.breaker;
    this.#giveBack(account, request.unspent);
    for (const outcome of request.outcomes) this.#hear(account, outcome, now);
    const others = this.#holders.live(now).filter(({ holder }) => holder !== request.holder);
    this.#count(request, others);
    this.#dropProbe(account, request, others);
    const reply = this.#lend(account, request, others, now);
    this.#keep(request, reply.calls, others.length, now);
    writeAccount(this.#sql, account);
    return { reply, moved: hasMoved(before, account.breaker) };
  }

  view(): GateView {
    const now = this.#clock.now();
    const { breaker, lastError } = this.#account(now);
    const holders = this.#holders.live(now);
    const sum = (of: "in_use" | "waiting") => holders.reduce((total, holder) => total + holder[of], 0);
    return {
      state: breaker.state,
      pausedMs: Math.max(0, breaker.until - now),
      limits: this.#limits,
      inUse: sum("in_use"),
      waiting: sum("waiting"),
      lastError: lastError === null ? null : { ...lastError, at: new Date(lastError.at).toISOString() },
    };
  }

  /** The tenants that have something of the account now, or wait for it: they are told when the breaker moves. */
  tenants(): string[] {
    return [...new Set(this.#holders.live(this.#clock.now()).map(({ tenant }) => tenant))];
  }

  #account(now: number): AccountState {
    const full = { calls: this.#callRate?.burst ?? 0, tokens: this.#tokenRate?.burst ?? 0 };
    const account = readAccount(this.#sql, full, now);
    const elapsedMs = now - account.filledAt;
    if (this.#callRate !== null) account.calls = refilled(account.calls, this.#callRate, elapsedMs);
    if (this.#tokenRate !== null) account.tokens = refilled(account.tokens, this.#tokenRate, elapsedMs);
    return { ...account, filledAt: now };
  }

  /** Never above the burst: a holder may give back late what has long filled up again. */
  #giveBack(account: AccountState, { calls, tokens }: Credits): void {
    if (this.#callRate !== null) account.calls = Math.min(this.#callRate.burst, account.calls + calls);
    if (this.#tokenRate !== null) account.tokens = Math.min(this.#tokenRate.burst, account.tokens + tokens);
  }

  #hear(account: AccountState, outcome: HeardOutcome, now: number): void {
    const jitter = (this.#random.bytes(1)[0] ?? 0) / 255;
    account.breaker = heard(account.breaker, outcome, { now, jitter });
    if (outcome.code !== null) account.lastError = { code: outcome.code, at: now };
  }

  /** Who was away begins where the least served of the others stands, and may not claim the time that it was away. */
  #count({ tenant, begun }: LeaseRequest, others: readonly Holder[]): void {
    const present = new Set([tenant, ...others.map((holder) => holder.tenant)]);
    for (const name of this.#served.keys()) if (!present.has(name)) this.#served.delete(name);
    const floor = this.#served.size === 0 ? 0 : Math.min(...this.#served.values());
    const cost = this.#tokenRate === null ? begun.calls : begun.tokens;
    this.#served.set(tenant, (this.#served.get(tenant) ?? floor) + cost);
  }

  /** A probe whose holder is gone, or has no call under way for it, decides nothing any more. */
  #dropProbe(account: AccountState, request: LeaseRequest, others: readonly Holder[]): void {
    const { state, probe, epoch } = account.breaker;
    if (state !== "half-open" || probe === null) return;
    const mine = probe === request.holder;
    const alive = mine
      ? request.epoch === epoch && request.inUseOfEpoch > 0
      : others.some(({ holder }) => holder === probe);
    if (!alive) account.breaker = withoutProbe(account.breaker);
  }

  #lend(account: AccountState, request: LeaseRequest, others: readonly Holder[], now: number): LeaseReply {
    const { breaker } = account;
    if (request.waiting > 0 && wantsProbe(breaker, now)) return this.#lendProbe(account, request, others);
    if (breaker.state !== "closed" || now < breaker.until) return this.#refusal(account, request, now);
    const free = this.#free(others);
    const shared = Math.min(this.#share(request, others), free);
    const credits = this.#credit(account, request, others);
    const short = shared < request.inUse + request.waiting || (credits.calls ?? request.waiting) < request.waiting;
    return {
      calls: short ? shared : Math.min(free, shared + this.#spare(request, others)),
      credits,
      sliceMs: LIMITS.gateSliceMs,
      retryMs: short ? this.#retryMs(account, request) : 0,
      epoch: breaker.epoch,
      state: breaker.state,
      cause: null,
    };
  }

  /** One call, and what it counts for, whatever is left of the minute but for calls side by side. */
  #lendProbe(account: AccountState, request: LeaseRequest, others: readonly Holder[]): LeaseReply {
    if (this.#free(others) <= request.inUse) return this.#refusal(account, request, account.filledAt);
    account.breaker = probing(account.breaker, request.holder);
    if (this.#callRate !== null) account.calls -= 1;
    if (this.#tokenRate !== null) account.tokens -= request.callTokens;
    return {
      calls: request.inUse + 1,
      credits: { calls: 1, tokens: null },
      sliceMs: LIMITS.gateSliceMs,
      retryMs: LIMITS.breakerProbeMs,
      epoch: account.breaker.epoch,
      state: "half-open",
      cause: account.lastError?.code ?? DOWN,
    };
  }

  #refusal({ breaker, lastError }: AccountState, request: LeaseRequest, now: number): LeaseReply {
    const leastMs = breaker.state === "half-open" ? LIMITS.breakerProbeMs : LIMITS.gateAskMs;
    return {
      calls: request.inUse,
      credits: { calls: 0, tokens: 0 },
      sliceMs: LIMITS.gateSliceMs,
      retryMs: Math.max(leastMs, breaker.until - now),
      epoch: breaker.epoch,
      state: breaker.state,
      cause: lastError?.code ?? DOWN,
    };
  }

  #free(others: readonly Holder[]): number {
    return Math.max(0, this.#limits.concurrency - others.reduce((sum, { calls }) => sum + calls, 0));
  }

  /** The holder's fair part of the calls side by side: first between tenants, then between the holders of its tenant. */
  #share(request: LeaseRequest, others: readonly Holder[]): number {
    const own = { holder: request.holder, tenant: request.tenant, wants: request.inUse + request.waiting };
    const all = [own, ...others.map((other) => ({ ...other, wants: other.in_use + other.waiting }))];
    const tenants = [...Map.groupBy(all, ({ tenant }) => tenant).entries()];
    const claims = tenants.map(([tenant, group]) => ({
      wants: group.reduce((sum, { wants }) => sum + wants, 0),
      served: this.#served.get(tenant) ?? 0,
    }));
    const parts = fairShares(this.#limits.concurrency, claims);
    const mine = tenants.findIndex(([tenant]) => tenant === request.tenant);
    const group = (tenants[mine]?.[1] ?? []).map(({ wants }) => ({ wants, served: 0 }));
    return fairShares(parts[mine] ?? 0, group)[0] ?? 0;
  }

  /** Where there is plenty, a holder gets as much again, so that its next calls need no question. */
  #spare(request: LeaseRequest, others: readonly Holder[]): number {
    const wants = request.inUse + request.waiting;
    const used = others.reduce((sum, { calls, in_use, waiting }) => sum + Math.max(calls, in_use + waiting), wants);
    return Math.max(0, Math.min(wants, Math.floor((this.#limits.concurrency - used) / 4)));
  }

  /** Takes the holder's part of the minute out of the buckets. */
  #credit(account: AccountState, request: LeaseRequest, others: readonly Holder[]): LeaseReply["credits"] {
    if (this.#callRate === null && this.#tokenRate === null) return { calls: null, tokens: null };
    const purse = { calls: account.calls, tokens: account.tokens };
    const takers = this.#takers(request, others);
    const turns = turnsOf(request.tenant, takers, ({ callTokens }) => this.#spend(purse, callTokens));
    const calls = Math.min(turns, wantedCredits(request, others));
    const tokens = calls * request.callTokens;
    if (this.#callRate !== null) account.calls -= calls;
    if (this.#tokenRate !== null) account.tokens -= tokens;
    return { calls, tokens: this.#tokenRate === null ? null : tokens };
  }

  #takers(request: LeaseRequest, others: readonly Holder[]): CallTaker[] {
    const asking = [request, ...others.map((other) => ({ ...other, callTokens: other.call_tokens }))];
    const groups = Map.groupBy(asking, ({ tenant }) => tenant);
    const more = wantedCredits(request, others) - request.waiting;
    return [...groups.entries()].map(([name, group]) => {
      const callTokens = Math.max(...group.map((each) => each.callTokens));
      return {
        name,
        callTokens,
        wants: group.reduce((sum, { waiting }) => sum + waiting, name === request.tenant ? more : 0),
        served: this.#served.get(name) ?? 0,
        costOfCall: this.#tokenRate === null ? 1 : Math.max(1, callTokens),
      };
    });
  }

  #spend(purse: Credits, callTokens: number): boolean {
    const enough =
      (this.#callRate === null || covers(purse.calls, this.#callRate, 1)) &&
      (this.#tokenRate === null || covers(purse.tokens, this.#tokenRate, callTokens));
    if (!enough) return false;
    purse.calls -= 1;
    purse.tokens -= callTokens;
    return true;
  }

  #retryMs(account: AccountState, { callTokens }: LeaseRequest): number {
    const calls = this.#callRate === null ? 0 : msUntil(account.calls, this.#callRate, 1);
    const tokens = this.#tokenRate === null ? 0 : msUntil(account.tokens, this.#tokenRate, callTokens);
    return Math.min(Math.max(LIMITS.gateAskMs, calls, tokens), LIMITS.gateRenewMs);
  }

  #keep(request: LeaseRequest, lent: number, others: number, now: number): void {
    this.#holders.expire(now);
    const { holder, tenant, inUse, waiting, callTokens } = request;
    if (inUse + waiting === 0 || others >= LIMITS.gateHolders) return this.#holders.leave(holder);
    const calls = Math.max(inUse, lent);
    const expires_at = now + LIMITS.gateSliceMs;
    this.#holders.put({ holder, tenant, calls, in_use: inUse, waiting, call_tokens: callTokens, expires_at });
  }
}

/** Where nobody else waits, a call that is under way may be followed by another without a question. */
function wantedCredits({ waiting, inUse }: LeaseRequest, others: readonly Holder[]): number {
  return others.some((other) => other.waiting > 0) ? waiting : waiting + inUse;
}

/** A probe that is lent is nobody else's business; a pause, an opening and a closing are. */
function hasMoved(before: BreakerState, after: BreakerState): boolean {
  return (before.state !== after.state && after.state !== "half-open") || after.until > before.until;
}
