import { askD1 } from "../../../durable-objects/d1/ask-d1.ts";
import { systemClock, systemHash } from "../../../durable-objects/ports.ts";
import { err, ok, type Result } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import type { Attempt } from "./attempt.ts";
import { seal, unseal } from "./seal.ts";

/**
 * Creations that D1 owns, each at most once per `Idempotency-Key`: the new row and the first answer are written in one
 * transaction, and whoever comes second, also at the same moment, gets the first answer. It is kept for 24 hours, readable
 * to nobody but the caller, because it may hold a key.
 */

/** What is to be written. `statement` is an INSERT that ends in a WHERE clause, without which nothing is written. */
export interface Creation<Answer extends object> {
  table: keyof typeof REMEMBER;
  id: string;
  statement: string;
  values: readonly (string | number | null)[];
  answer: Answer;
  /** Written after it in the same transaction; it must do nothing when the row was not written. */
  also?: { statement: string; values: readonly (string | number | null)[] };
}

const NOT_YET = "NOT EXISTS (SELECT 1 FROM idempotency WHERE scope = ? AND key = ?)";
const PURGE = "DELETE FROM idempotency WHERE at <= ?";
const RECALL = "SELECT body_sha256, answer FROM idempotency WHERE scope = ? AND key = ? AND at > ?";
const REMEMBER = {
  api_keys: `INSERT INTO idempotency (scope, key, body_sha256, answer, at)
    SELECT ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM api_keys WHERE id = ?)`,
  tenants: `INSERT INTO idempotency (scope, key, body_sha256, answer, at)
    SELECT ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM tenants WHERE id = ?)`,
  batches: `INSERT INTO idempotency (scope, key, body_sha256, answer, at)
    SELECT ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM batches WHERE id = ?)`,
  credentials: `INSERT INTO idempotency (scope, key, body_sha256, answer, at)
    SELECT ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM credentials WHERE id = ?)`,
} as const;

export class Creations {
  readonly #database: D1Database;

  constructor(database: D1Database) {
    this.#database = database;
  }

  /**
   * The first answer to this attempt; else what `prepare` makes is created and answered. Null when its WHERE clause found
   * no reason any more. `idempotency_mismatch` when the key came with another body before.
   */
  async once<Answer extends object>(
    attempt: Attempt,
    prepare: () => Promise<Result<Creation<Answer>>>,
  ): Promise<Result<Answer | null>> {
    const before = await this.#recall<Answer>(attempt);
    if (!before.ok || before.value !== null) return before;
    const creation = await prepare();
    if (!creation.ok) return creation;
    const created = await this.#create(attempt, creation.value);
    if (!created.ok) return created;
    return created.value ? ok(creation.value.answer) : this.#recall<Answer>(attempt);
  }

  async #recall<Answer>({ scope, idempotencyKey: key, body, secret }: Attempt): Promise<Result<Answer | null>> {
    if (key === null) return ok(null);
    const statement = this.#database.prepare(RECALL).bind(scope, key, systemClock.now() - LIMITS.idempotencyMs);
    const found = await askD1(statement.first<{ body_sha256: string; answer: string }>());
    if (!found.ok) return found;
    if (found.value === null) return ok(null);
    const answer = found.value.body_sha256 === systemHash.sha256(body) ? unseal(found.value.answer, secret) : null;
    return answer === null ? MISMATCH : ok(JSON.parse(answer) as Answer);
  }

  /** Whether it was created now. One batch is one transaction. */
  async #create(attempt: Attempt, creation: Creation<object>): Promise<Result<boolean>> {
    const { scope, idempotencyKey: key } = attempt;
    const insert = this.#database.prepare(`${creation.statement} AND ${NOT_YET}`).bind(...creation.values, scope, key);
    const purge = this.#database.prepare(PURGE).bind(systemClock.now() - LIMITS.idempotencyMs);
    const also = creation.also === undefined ? [] : [this.#statement(creation.also)];
    const remember = key === null ? [] : [this.#remember(attempt, creation)];
    const written = await askD1(this.#database.batch([purge, insert, ...also, ...remember]));
    return written.ok ? ok((written.value[1]?.meta.changes ?? 0) > 0) : written;
  }

  #statement({ statement, values }: NonNullable<Creation<object>["also"]>): D1PreparedStatement {
    return this.#database.prepare(statement).bind(...values);
  }

  #remember({ scope, idempotencyKey, body, secret }: Attempt, creation: Creation<object>): D1PreparedStatement {
    const answer = seal(JSON.stringify(creation.answer), secret);
    return this.#database
      .prepare(REMEMBER[creation.table])
      .bind(scope, idempotencyKey, systemHash.sha256(body), answer, systemClock.now(), creation.id);
  }
}

const MISMATCH = err(
  "idempotency_mismatch",
  "This Idempotency-Key was used with another body; use a new key for a new request.",
);
