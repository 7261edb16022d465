import { systemHash } from "../../durable-objects/ports.ts";
import type { Clock, Hash, Random, Sql, SqlRow, SqlValue } from "../../kernel/ports.ts";

/** The ports that tests lend the kernel: a clock that moves when told, seeded randomness, real SQLite of an object. */

export class TestClock implements Clock {
  #now: number;
  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }
  now(): number {
    return this.#now;
  }
  advance(ms: number): void {
    this.#now += ms;
  }
}

/** xorshift32: the same seed gives the same bytes. */
export class SeededRandom implements Random {
  #state: number;
  constructor(seed = 1) {
    this.#state = seed;
  }
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => {
      this.#state ^= this.#state << 13;
      this.#state ^= this.#state >>> 17;
      this.#state ^= this.#state << 5;
      return this.#state & 255;
    });
  }
}

/** The objects' own: `node:crypto` is the same in workerd and in Node. */
export const nodeHash: Hash = systemHash;

/** The `Sql` port over a Durable Object's storage (inside `runInDurableObject`). */
export function objectSql(storage: DurableObjectStorage): Sql {
  return {
    all: <Row extends SqlRow>(statement: string, ...parameters: SqlValue[]) =>
      storage.sql.exec(statement, ...parameters).toArray() as Row[],
    first: <Row extends SqlRow>(statement: string, ...parameters: SqlValue[]) =>
      storage.sql.exec(statement, ...parameters).toArray()[0] as Row | undefined,
    run: (statement, ...parameters) => storage.sql.exec(statement, ...parameters).rowsWritten,
    transaction: (work) => storage.transactionSync(work),
  };
}
