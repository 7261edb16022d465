import type { Sql } from "../ports.ts";

/** Named integers that only the owner of the object moves: the fence, the order of changes, cursors. */

const GET = "SELECT value FROM meta WHERE key = ?";
const SET = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
const NEXT =
  "INSERT INTO meta (key, value) VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET value = value + 1 RETURNING value";

export type CounterName =
  | "fence"
  | "changed"
  | "projected.processes"
  | "projected.calls"
  | "projected.segments"
  | "cache.epoch"
  | "due"
  | "audit.cursor"
  | "audit.at";

export class Counters {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  get(name: CounterName): number {
    return this.#sql.first<{ value: number }>(GET, name)?.value ?? 0;
  }

  set(name: CounterName, value: number): void {
    this.#sql.run(SET, name, value);
  }

  /** One more than ever before. */
  next(name: CounterName): number {
    return this.#sql.first<{ value: number }>(NEXT, name)?.value ?? 0;
  }
}
