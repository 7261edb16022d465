import { LIMITS } from "../../kernel/limits.ts";
import type { Checkpoint } from "../../kernel/log/checkpoint.ts";

/** The checkpoints of audit chains, in D1: away from the objects that they are about. Cores write them, everybody reads them. */

const COLUMNS = `tenant, object, seq, from_seq AS fromSeq, head, segment, segment_sha256 AS segmentSha256, at, previous,
  key_id AS keyId, signature, removed_at AS removedAt, removal_signature AS removalSignature`;
/** An export that is made again, because nobody noted down that it was made, writes the same row. */
const PUT = `INSERT INTO audit_checkpoints (tenant, object, seq, from_seq, head, segment, segment_sha256, at, previous, key_id, signature)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, object, seq) DO UPDATE SET from_seq = excluded.from_seq,
  head = excluded.head, segment = excluded.segment, segment_sha256 = excluded.segment_sha256, at = excluded.at,
  previous = excluded.previous, key_id = excluded.key_id, signature = excluded.signature`;
const LIST = `SELECT ${COLUMNS} FROM audit_checkpoints WHERE tenant = ? AND object = ? AND seq > ? ORDER BY seq LIMIT ?`;
const KEPT = `SELECT ${COLUMNS} FROM audit_checkpoints WHERE tenant = ? AND removed_at IS NULL AND at < ?
  ORDER BY at, object, seq LIMIT ?`;
const EXPIRED = `SELECT DISTINCT tenant FROM (SELECT tenant FROM audit_checkpoints
  WHERE removed_at IS NULL AND at < ? ORDER BY at LIMIT ?)`;
const REMOVED = `UPDATE audit_checkpoints SET removed_at = ?, removal_signature = ? WHERE tenant = ? AND object = ? AND seq = ?`;

export class CheckpointTable {
  readonly #database: D1Database;

  constructor(database: D1Database) {
    this.#database = database;
  }

  /** All of them or none. */
  async put(checkpoints: readonly Checkpoint[]): Promise<void> {
    const statement = this.#database.prepare(PUT);
    await this.#database.batch(
      checkpoints.map(
        ({ tenant, object, seq, fromSeq, head, segment, segmentSha256, at, previous, keyId, signature }) =>
          statement.bind(tenant, object, seq, fromSeq, head, segment, segmentSha256, at, previous, keyId, signature),
      ),
    );
  }

  /** Those of one chain, in order. */
  async *all(tenant: string, object: string): AsyncGenerator<Checkpoint> {
    const statement = this.#database.prepare(LIST);
    for (let after = 0, more = true; more; ) {
      const { results } = await statement.bind(tenant, object, after, LIMITS.auditCheckpointRows).all<Checkpoint>();
      yield* results;
      after = results.at(-1)?.seq ?? after;
      more = results.length === LIMITS.auditCheckpointRows;
    }
  }

  /** The oldest whose segments are still there, made before `at`. */
  async keptBefore(tenant: string, at: number): Promise<Checkpoint[]> {
    return (await this.#database.prepare(KEPT).bind(tenant, at, LIMITS.auditRetireRows).all<Checkpoint>()).results;
  }

  /** Tenants that have some of these. */
  async tenantsWithExpired(at: number): Promise<string[]> {
    const found = await this.#database.prepare(EXPIRED).bind(at, LIMITS.auditCheckpointRows).all<{ tenant: string }>();
    return found.results.map(({ tenant }) => tenant);
  }

  async removed({ tenant, object, seq }: Checkpoint, at: number, signature: string | null): Promise<void> {
    await this.#database.prepare(REMOVED).bind(at, signature, tenant, object, seq).run();
  }
}
