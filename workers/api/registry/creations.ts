import { systemClock, systemHash } from "../../../durable-objects/ports.ts";
import { err, ok, type Result } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { askD1 } from "./ask-d1.ts";
import { seal, unseal } from "./seal.ts";

/**
 * Creations that D1 owns, each at most once per `Idempotency-Key`: the new row and the first answer are written in one
 * transaction, and whoever comes second, also at the same moment, gets the first answer. It is kept for 24 hours, readable
 * to nobody but the caller, because it may hold a key.
 */

/** A request that creates. */
export interface Attempt {
  /** Whose keys these are: answers of one caller are none of another's. */
  scope: string;
  /** Null = the request may create every time. */
  idempotencyKey: string | null;
  body: string;
  /** The caller's own key, under which the answer is encrypted. */
  secret: string;
}

/** What is to be written. `statement` ends with a WHERE clause and takes the attempt's scope and key as its last two. */
export interface Creation {
  table: "api_keys" | "tenants";
  id: string;
  statement: string;
  values: readonly (string | number | null)[];
  answer: object;
}

const NOT_YET = "NOT EXISTS (SELECT 1 FROM idempotency WHERE scope = ? AND key = ?)";
const PURGE = "DELETE FROM idempotency WHERE at <= ?";
const RECALL = "SELECT body_sha256, answer FROM idempotency WHERE scope = ? AND key = ? AND at > ?";
const REMEMBER = {
  api_keys: `INSERT INTO idempotency (scope, key, body_sha256, answer, at)
    SELECT ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM api_keys WHERE id = ?)`,
  tenants: `INSERT INTO idempotency (scope, key, body_sha256, answer, at)
    SELECT ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM tenants WHERE id = ?)`,
} as const;

export class Creations {
  readonly #database: D1Database;

  constructor(database: D1Database) {
    this.#database = database;
  }

  /** The first answer to this attempt; null when there was none; `idempotency_mismatch` when the body was another. */
  async recall<T extends object>(attempt: Attempt): Promise<Result<T | null>> {
    const { scope, idempotencyKey: key } = attempt;
    if (key === null) return ok(null);
    const statement = this.#database.prepare(RECALL).bind(scope, key, systemClock.now() - LIMITS.idempotencyMs);
    const found = await askD1(statement.first<{ body_sha256: string; answer: string }>());
    if (!found.ok || found.value === null) return found.ok ? ok(null) : found;
    if (found.value.body_sha256 !== systemHash.sha256(attempt.body)) return MISMATCH;
    const answer = unseal(found.value.answer, attempt.secret);
    return answer === null ? MISMATCH : ok(JSON.parse(answer) as T);
  }

  /** Whether it was created now: not when somebody with the same key was first, and not when `statement` found no reason. */
  async create(attempt: Attempt, creation: Creation): Promise<Result<boolean>> {
    const { scope, idempotencyKey: key, body, secret } = attempt;
    const now = systemClock.now();
    const insert = this.#database.prepare(`${creation.statement} AND ${NOT_YET}`);
    const statements = [
      this.#database.prepare(PURGE).bind(now - LIMITS.idempotencyMs),
      insert.bind(...creation.values, scope, key),
    ];
    if (key !== null) {
      const answer = seal(JSON.stringify(creation.answer), secret);
      const remember = this.#database.prepare(REMEMBER[creation.table]);
      statements.push(remember.bind(scope, key, systemHash.sha256(body), answer, now, creation.id));
    }
    const written = await askD1(this.#database.batch(statements));
    return written.ok ? ok((written.value[1]?.meta.changes ?? 0) > 0) : written;
  }
}

const MISMATCH = err(
  "idempotency_mismatch",
  "This Idempotency-Key was used with another body; use a new key for a new request.",
);
