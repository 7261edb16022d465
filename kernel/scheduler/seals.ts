import { LIMITS } from "../limits.ts";
import { type ChainEnd, GENESIS } from "../log/chain.ts";
import type { Sql, SqlRow } from "../ports.ts";

/**
 * How far each chain of the tenant is covered by checkpoints, and which exports are under way. What an export covers is fixed
 * before it begins, so that one that a crash has cut writes the same when it is made again.
 */

export interface Seal extends SqlRow {
  object: string;
  seq: number;
  head: string;
  digest: string;
  up_to: number | null;
  at: number | null;
  expected: string | null;
  broken_at: number | null;
}

/** An export under way. */
export type OpenSeal = Seal & { up_to: number; at: number };

/** A chain whose object has reported something new. */
export type MovedChain = { id: string; seq: number; head: string | null; changed: number };

const GET = "SELECT * FROM seals WHERE object = ?";
const OPEN = `INSERT INTO seals (object, seq, head, digest, up_to, at, expected) VALUES (?1, 0, ?2, ?2, ?3, ?4, ?5)
  ON CONFLICT (object) DO UPDATE SET up_to = excluded.up_to, at = excluded.at, expected = excluded.expected
  WHERE seals.seq < excluded.up_to AND seals.up_to IS NULL`;
const OPENED = "SELECT * FROM seals WHERE up_to IS NOT NULL AND object > ? ORDER BY object LIMIT ?";
const ANY_OPEN = "SELECT 1 AS n FROM seals WHERE up_to IS NOT NULL LIMIT 1";
const ADVANCE = `UPDATE seals SET seq = ?3, head = ?4, digest = ?5, broken_at = NULL,
  up_to = CASE WHEN up_to > ?3 THEN up_to END, at = CASE WHEN up_to > ?3 THEN at END,
  expected = CASE WHEN up_to > ?3 THEN expected END WHERE object = ?1 AND seq = ?2`;
const CLOSE =
  "UPDATE seals SET up_to = NULL, at = NULL, expected = NULL, broken_at = coalesce(?, broken_at) WHERE object = ?";
const MOVED =
  "SELECT id, seq, head, changed FROM processes WHERE changed > ? AND erased_at IS NULL ORDER BY changed LIMIT ?";
const REPORTED = "SELECT seq, head, erased_at FROM processes WHERE id = ?";

export class Seals {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  get(object: string): Seal | null {
    return this.#sql.first<Seal>(GET, object) ?? null;
  }

  /** Begins an export up to `end`, unless one is under way or all is covered. `expected` = the hash there, where it is known. */
  open(object: string, seq: number, expected: string | null, at: number): void {
    if (seq > (this.get(object)?.seq ?? 0)) this.#sql.run(OPEN, object, GENESIS.hash, seq, at, expected);
  }

  /** Exports under way, in the order of their ids, after `after`. */
  opened(after: string): OpenSeal[] {
    return this.#sql.all<OpenSeal>(OPENED, after, LIMITS.auditBatchChains);
  }

  get anyOpen(): boolean {
    return this.#sql.first(ANY_OPEN) !== undefined;
  }

  /** A checkpoint is written: the chain is covered up to `end`. Nothing when somebody else has noted it down before. */
  advance(before: Seal, end: ChainEnd, digest: string): void {
    this.#sql.run(ADVANCE, before.object, before.seq, end.seq, end.hash, digest);
  }

  /** Ends an export without a checkpoint: its object is gone, or its chain is broken. */
  close(object: string, brokenAt: number | null): void {
    this.#sql.run(CLOSE, brokenAt, object);
  }

  /** Processes that changed after `cursor`. */
  moved(cursor: number): MovedChain[] {
    return this.#sql.all<MovedChain>(MOVED, cursor, LIMITS.sweepRows);
  }

  /** What is known of an agent's log by its own reports. */
  reported(agentId: string): { end: ChainEnd | null; erased: boolean } | null {
    const row = this.#sql.first<{ seq: number; head: string | null; erased_at: number | null }>(REPORTED, agentId);
    if (row === undefined) return null;
    return { end: row.head === null ? null : { seq: row.seq, hash: row.head }, erased: row.erased_at !== null };
  }
}
