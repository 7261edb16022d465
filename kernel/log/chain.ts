import type { Hash } from "../ports.ts";

/**
 * The hash chain of a log, and walking it: `hash(n) = SHA-256(hash(n-1) "\n" JSON([seq, at, kind, callId, actor, data]))`, with
 * `hash(0)` = 64 zeros and `data` as the JSON text that was stored. Read for years: the format never changes.
 */

/** One entry as it is stored and exported: `data` is the very text that was hashed. */
export interface ChainRow {
  seq: number;
  /** Milliseconds since the epoch. */
  at: number;
  kind: string;
  callId: string | null;
  actor: string;
  data: string;
  hash: string;
}

/** A place in a chain: everything up to and including `seq`. */
export interface ChainEnd {
  seq: number;
  hash: string;
}

export const GENESIS: ChainEnd = { seq: 0, hash: "0".repeat(64) };

/** The hash of `row` after an entry whose hash is `previous`. */
export function linkOf(previous: string, row: Omit<ChainRow, "hash">, hash: Hash): string {
  return hash.sha256(`${previous}\n${JSON.stringify([row.seq, row.at, row.kind, row.callId, row.actor, row.data])}`);
}

/** Where a chain breaks, and how. */
export interface Break {
  /** Sequence number of the first entry that does not fit. */
  brokenAt: number;
  reason: string;
}

/** Goes along a chain, entry by entry, from a place that is known. */
export class ChainWalk {
  readonly #hash: Hash;
  #end: ChainEnd;

  constructor(hash: Hash, from: ChainEnd = GENESIS) {
    this.#hash = hash;
    this.#end = from;
  }

  /** The last entry that fitted. */
  get end(): ChainEnd {
    return this.#end;
  }

  /** Null when `row` is the next entry and has its hash. */
  step(row: ChainRow): Break | null {
    const brokenAt = this.#end.seq + 1;
    if (row.seq !== brokenAt)
      return { brokenAt, reason: `entry ${brokenAt} is missing: ${row.seq} stands in its place` };
    if (row.hash !== linkOf(this.#end.hash, row, this.#hash)) {
      return { brokenAt, reason: `entry ${brokenAt} was changed: its hash does not fit` };
    }
    this.#end = { seq: row.seq, hash: row.hash };
    return null;
  }
}
