import { withDeadline } from "../deadline.ts";
import type { Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Clock } from "../ports.ts";
import type { OfferedModel, Provider } from "./provider.ts";

/**
 * What vendors said that they offer, kept for `LIMITS.modelListTtlMs` in the memory of whoever holds this: an isolate asks
 * again at the first look after that. A list that did not come is not asked for again for `LIMITS.modelListRetryMs`.
 *
 * Only answers are shared, not look-ups: a Worker's request must not wait for the I/O of another.
 */
export class ModelOffers {
  readonly #clock: Clock;
  /** By provider. */
  readonly #kept = new Map<string, { offer: Result<OfferedModel[]>; until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async of(provider: Provider): Promise<Result<OfferedModel[]>> {
    const kept = this.#kept.get(provider.name);
    if (kept !== undefined && kept.until > this.#clock.now()) return kept.offer;
    const never = new AbortController().signal;
    const offer = await withDeadline(LIMITS.modelListMs, never, (signal) => provider.offered(signal));
    const heldMs = offer.ok ? LIMITS.modelListTtlMs : LIMITS.modelListRetryMs;
    this.#kept.set(provider.name, { offer, until: this.#clock.now() + heldMs });
    return offer;
  }
}
