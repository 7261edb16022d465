import type { Sql } from "./ports.ts";

/**
 * One object's transactions. What is cached in memory (the log's head, the process row) registers here, so that a
 * rollback forgets it and a commit publishes what was appended. Call `run` for everything that writes; work must not await.
 */
export class Transactions {
  readonly #sql: Sql;
  readonly #onRollback: (() => void)[] = [];
  readonly #onCommit: (() => void)[] = [];
  #depth = 0;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  onRollback(forget: () => void): void {
    this.#onRollback.push(forget);
  }

  onCommit(publish: () => void): void {
    this.#onCommit.push(publish);
  }

  /** Commits all of `work` or, when it throws, none of it. Nested runs join the outermost. */
  run<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.#depth++;
    let value: T;
    try {
      value = this.#sql.transaction(work);
    } catch (cause) {
      for (const forget of this.#onRollback) forget();
      throw cause;
    } finally {
      this.#depth--;
    }
    for (const publish of this.#onCommit) publish();
    return value;
  }
}
