import { LIMITS } from "../../kernel/limits.ts";
import type { Clock } from "../../kernel/ports.ts";
import type { Admission } from "./rpc.ts";

/**
 * Requests counted in fixed windows of `LIMITS.rateWindowMs`, one counter a subject (a key, or the tenant). In memory: a
 * core that restarts begins its minute anew, which costs a tenant nothing and an attacker has to kill the core for.
 */
export class RequestRates {
  readonly #clock: Clock;
  readonly #counts = new Map<string, number>();
  #window = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one request against all of `limits`, or against none when one of them is spent. Null without any. */
  admit(limits: readonly { subject: string; limit: number }[]): Admission | null {
    const admitted = limits.every(({ subject, limit }) => this.count(subject) < limit);
    if (admitted) for (const { subject } of limits) this.#counts.set(subject, this.count(subject) + 1);
    const left = limits.map(({ subject, limit }) => ({ limit, remaining: Math.max(0, limit - this.count(subject)) }));
    const [tightest] = left.toSorted((a, b) => a.remaining - b.remaining);
    return tightest === undefined ? null : { admitted, ...tightest, resetMs: this.#resetMs() };
  }

  /** Requests of `subject` in this window. */
  count(subject: string): number {
    this.#turn();
    return this.#counts.get(subject) ?? 0;
  }

  #turn(): void {
    const window = Math.floor(this.#clock.now() / LIMITS.rateWindowMs);
    if (window === this.#window) return;
    this.#window = window;
    this.#counts.clear();
  }

  #resetMs(): number {
    return LIMITS.rateWindowMs - (this.#clock.now() % LIMITS.rateWindowMs);
  }
}
