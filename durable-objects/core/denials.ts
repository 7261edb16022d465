import { LIMITS } from "../../kernel/limits.ts";
import type { Log } from "../../kernel/log/log.ts";
import type { Clock } from "../../kernel/ports.ts";
import type { Actor } from "../agent/rpc.ts";

/**
 * Requests that would have changed something and were refused. A key that tries again and again must not fill the chain: after
 * `LIMITS.deniedEntries` in a minute the others are counted, and the number stands in the key's next entry. In memory, like all rates.
 */
export class Denials {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #seen = new Map<Actor, { entered: number; unsaid: number }>();
  #minute = 0;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  enter(actor: Actor, { route, reason }: { route: string; reason: string }): void {
    this.#turn();
    const seen = this.#seen.get(actor) ?? { entered: 0, unsaid: 0 };
    const isEntered = seen.entered < LIMITS.deniedEntries;
    this.#seen.set(actor, isEntered ? { entered: seen.entered + 1, unsaid: 0 } : { ...seen, unsaid: seen.unsaid + 1 });
    if (!isEntered) return;
    const more = seen.unsaid === 0 ? {} : { unsaid: seen.unsaid };
    this.#log.append("request.denied", actor, { route, decision: "denied", reason, ...more });
  }

  /** In a new minute everybody begins anew; what was not said yet is kept. */
  #turn(): void {
    const minute = Math.floor(this.#clock.now() / LIMITS.rateWindowMs);
    if (minute === this.#minute) return;
    this.#minute = minute;
    for (const [actor, { unsaid }] of this.#seen) {
      if (unsaid === 0) this.#seen.delete(actor);
      else this.#seen.set(actor, { entered: 0, unsaid });
    }
  }
}
