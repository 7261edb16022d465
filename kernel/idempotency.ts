import { err, ok, type Result } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import type { Clock, Hash, Sql } from "./ports.ts";

/**
 * First answers to requests that carried an `Idempotency-Key`, kept `LIMITS.idempotencyMs` by the object that owns the
 * creation, in its transaction.
 */

type Row = { key: string; body_sha256: string; answer: string; at: number };

const GET = "SELECT * FROM idempotency WHERE key = ? AND at > ?";
const PUT = "INSERT OR REPLACE INTO idempotency (key, body_sha256, answer, at) VALUES (?, ?, ?, ?)";
const PURGE = "DELETE FROM idempotency WHERE at <= ?";

export class IdempotencyKeys {
  readonly #sql: Sql;
  readonly #clock: Clock;
  readonly #hash: Hash;

  constructor(ports: { sql: Sql; clock: Clock; hash: Hash }) {
    this.#sql = ports.sql;
    this.#clock = ports.clock;
    this.#hash = ports.hash;
  }

  /** The first answer to this key, `idempotency_mismatch` when the body was another, null when the key is new. */
  recall<T>(key: string, body: string): Result<T> | null {
    const row = this.#sql.first<Row>(GET, key, this.#clock.now() - LIMITS.idempotencyMs);
    if (row === undefined) return null;
    if (row.body_sha256 === this.#hash.sha256(body)) return ok(JSON.parse(row.answer) as T);
    return err(
      "idempotency_mismatch",
      "this Idempotency-Key was used with another body; use a new key for a new request",
    );
  }

  /** The first answer to `key`, or what `make` answers, kept when it is a value. Without a key nothing is kept. */
  once<T>(key: string | undefined, body: string, make: () => Result<T>): Result<T> {
    const before = key === undefined ? null : this.recall<T>(key, body);
    if (before !== null) return before;
    const made = make();
    if (made.ok && key !== undefined) this.remember(key, body, made.value);
    return made;
  }

  remember(key: string, body: string, answer: unknown): void {
    this.#sql.run(PURGE, this.#clock.now() - LIMITS.idempotencyMs);
    this.#sql.run(PUT, key, this.#hash.sha256(body), JSON.stringify(answer), this.#clock.now());
  }
}
