import type { Sql } from "../ports.ts";

/** The context's one row of counters, and its logical clock: uses are ordered by it, because wall clocks stand still in a slice. */

export type ContextCounters = {
  clock: number;
  minor_faults: number;
  major_faults: number;
  evictions: number;
  token_factor: number;
  tool_tokens: number;
};

const FIRST: ContextCounters = {
  clock: 0,
  minor_faults: 0,
  major_faults: 0,
  evictions: 0,
  token_factor: 1,
  tool_tokens: 0,
};

const READ =
  "SELECT clock, minor_faults, major_faults, evictions, token_factor, tool_tokens FROM context_state WHERE id = 1";
const LAY = "INSERT OR IGNORE INTO context_state VALUES (1, 0, 0, 0, 0, 1.0, 0)";
const TICK = "UPDATE context_state SET clock = clock + 1 WHERE id = 1 RETURNING clock";
const COUNT =
  "UPDATE context_state SET minor_faults = minor_faults + ?, major_faults = major_faults + ?, evictions = evictions + ? WHERE id = 1";
const LEARN = "UPDATE context_state SET token_factor = ?, tool_tokens = ? WHERE id = 1";

export class ContextState {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  read(): ContextCounters {
    return this.#sql.first<ContextCounters>(READ) ?? FIRST;
  }

  /** The next logical time. */
  tick(): number {
    this.#sql.run(LAY);
    return this.#sql.first<{ clock: number }>(TICK)?.clock ?? 0;
  }

  count(events: { minor?: number; major?: number; evictions?: number }): void {
    this.#sql.run(LAY);
    this.#sql.run(COUNT, events.minor ?? 0, events.major ?? 0, events.evictions ?? 0);
  }

  learn(tokenFactor: number, toolTokens: number): void {
    this.#sql.run(LAY);
    this.#sql.run(LEARN, tokenFactor, toolTokens);
  }
}
