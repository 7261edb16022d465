import type { Clock } from "../ports.ts";
import { grownSince, NO_USAGE, type PlatformUsage, sumOf, USAGE_COUNTERS } from "./platform-usage.ts";

/**
 * Counts what one object takes of the platform, in memory. Nothing is written for it: whoever writes a row anyway saves
 * `usage()` with it, and the object that comes after an eviction goes on from there with `resume`. What was counted since the
 * last row is lost then: the sum is an estimate.
 */
export class PlatformMeter {
  readonly #clock: Clock;
  readonly #counted: PlatformUsage = { ...NO_USAGE };
  /** Events that are under way, and since when there is one: the platform bills the time once, however many there are. */
  #underWay = 0;
  #awakeSince = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Goes on from what an earlier life of the object saved. Call it once. */
  resume(saved: PlatformUsage): void {
    this.add(saved);
  }

  add(counts: Partial<PlatformUsage>): void {
    for (const counter of USAGE_COUNTERS) this.#counted[counter] += counts[counter] ?? 0;
  }

  /** Everything so far, with the time of the events that are under way. */
  usage(): PlatformUsage {
    return sumOf(this.#counted, { activeMs: this.#awakeMs() });
  }

  /** Counts an event that wakes the object, and the time until it ends. */
  async event<T>(kind: "requests" | "socketMessages", work: () => T | Promise<T>): Promise<T> {
    if (this.#underWay++ === 0) this.#awakeSince = this.#clock.now();
    this.add({ [kind]: 1 });
    try {
      return await work();
    } finally {
      const awakeMs = this.#awakeMs();
      if (--this.#underWay === 0) this.add({ activeMs: awakeMs });
    }
  }

  /** The rows that `work` reads and writes. */
  during<T>(work: () => T): { value: T; rows: RowShare } {
    const before = { ...this.#counted };
    const value = work();
    const { rowsRead, rowsWritten } = grownSince(before, this.#counted);
    return { value, rows: { rowsRead, rowsWritten } };
  }

  #awakeMs(): number {
    return this.#underWay === 0 ? 0 : Math.max(0, this.#clock.now() - this.#awakeSince);
  }
}

/** Rows that one object read and wrote on behalf of another. */
export type RowShare = Pick<PlatformUsage, "rowsRead" | "rowsWritten">;
