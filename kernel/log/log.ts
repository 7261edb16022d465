import type { Clock, Hash, Sql } from "../ports.ts";
import { type Break, type ChainEnd, type ChainRow, ChainWalk, GENESIS, linkOf } from "./chain.ts";

/**
 * An object's life: one append-only, hash-chained log in its SQLite (chain.ts says how entries are hashed). The journal, the
 * ledger, the audit trail and the event stream are views of it. Content stands in pages and files; the log refers to it by id and
 * SHA-256, so that erasing content keeps the chain.
 */

export interface LogEntry {
  seq: number;
  /** Milliseconds since the epoch, by the object's clock. */
  at: number;
  /** Dotted name of what happened, e.g. `call.end`. */
  kind: string;
  callId: string | null;
  /** `key:<id>`, `agent:<id>` or `kernel`. */
  actor: string;
  data: Record<string, unknown>;
  hash: string;
}

export interface ChainReport {
  ok: boolean;
  /** Entries that fit, from the first that ever was. */
  entries: number;
  /** Hash of the newest entry that fits. */
  head: string;
  /** Sequence number of the first entry that does not fit. */
  brokenAt?: number;
  reason?: string;
}

type Row = { seq: number; at: number; kind: string; call_id: string | null; actor: string; data: string; hash: string };

const VERIFY_BATCH = 1_000;

const HEAD = "SELECT seq, hash FROM log ORDER BY seq DESC LIMIT 1";
const INSERT = "INSERT INTO log (seq, at, kind, call_id, actor, data, hash) VALUES (?, ?, ?, ?, ?, ?, ?)";
const AFTER = "SELECT * FROM log WHERE seq > ? ORDER BY seq LIMIT ?";
const DROP = "DELETE FROM log WHERE seq <= ?1 AND ?1 < (SELECT max(seq) FROM log)";
const FILTERED = `SELECT * FROM log WHERE seq > ?1 AND at >= ?2 AND (?3 IS NULL OR kind = ?3 OR kind GLOB ?3 || '*' AND ?3 GLOB '*.')
  ORDER BY seq LIMIT ?4`;

function chainRowOf({ call_id: callId, ...row }: Row): ChainRow {
  return { seq: row.seq, at: row.at, kind: row.kind, callId, actor: row.actor, data: row.data, hash: row.hash };
}

function entryOf(row: Row): LogEntry {
  return {
    seq: row.seq,
    at: row.at,
    kind: row.kind,
    callId: row.call_id,
    actor: row.actor,
    data: JSON.parse(row.data) as Record<string, unknown>,
    hash: row.hash,
  };
}

export class Log {
  readonly #sql: Sql;
  readonly #clock: Clock;
  readonly #hash: Hash;
  readonly #redact: (json: string) => string;
  readonly #onAppend: (entry: LogEntry) => void;
  #head: ChainEnd | null = null;

  /**
   * `onAppend` sees each entry as it is written, inside the transaction: it may only remember it. `redact` takes out of an entry's
   * JSON what no log may hold.
   */
  constructor(
    ports: { sql: Sql; clock: Clock; hash: Hash },
    onAppend: (entry: LogEntry) => void = () => {},
    redact: (json: string) => string = (json) => json,
  ) {
    this.#sql = ports.sql;
    this.#clock = ports.clock;
    this.#hash = ports.hash;
    this.#onAppend = onAppend;
    this.#redact = redact;
  }

  /** Appends one entry. Call it inside the transaction of the act that it records. */
  append(kind: string, actor: string, data: Record<string, unknown>, callId: string | null = null): LogEntry {
    const previous = this.head();
    const given = JSON.stringify(data);
    const text = this.#redact(given);
    const row = { seq: previous.seq + 1, at: this.#clock.now(), kind, callId, actor, data: text };
    const hash = linkOf(previous.hash, row, this.#hash);
    this.#sql.run(INSERT, row.seq, row.at, row.kind, row.callId, row.actor, row.data, hash);
    this.#head = { seq: row.seq, hash };
    const written = text === given ? data : (JSON.parse(text) as Record<string, unknown>);
    const entry = { seq: row.seq, at: row.at, kind, callId, actor, data: written, hash };
    this.#onAppend(entry);
    return entry;
  }

  /** The newest entry; `GENESIS` when the log is empty. */
  head(): ChainEnd {
    this.#head ??= this.#sql.first<{ seq: number; hash: string }>(HEAD) ?? GENESIS;
    return this.#head;
  }

  /** To be called when a transaction that appended was rolled back: the cached head is not true any more. */
  forgetHead(): void {
    this.#head = null;
  }

  /** At most `limit` entries after sequence number `after`, oldest first. */
  after(after: number, limit: number): LogEntry[] {
    return this.#sql.all<Row>(AFTER, after, limit).map(entryOf);
  }

  /** The same as they are stored. */
  rows(after: number, limit: number): ChainRow[] {
    return this.#sql.all<Row>(AFTER, after, limit).map(chainRowOf);
  }

  /** Drops the entries up to `seq`, which a checkpoint names; nothing when the log ends there, because it goes on from its end. */
  drop(seq: number): void {
    this.#sql.run(DROP, seq);
  }

  /** Oldest first, after sequence number `after`, of one kind (or a family: `agent.`) and not before `from` (milliseconds). */
  page(
    limit: number,
    after: number,
    filter: { kind?: string | undefined; from: number },
  ): { items: LogEntry[]; nextCursor: string | null } {
    const rows = this.#sql.all<Row>(FILTERED, after, filter.from, filter.kind ?? null, limit + 1);
    const items = rows.slice(0, limit).map(entryOf);
    return { items, nextCursor: rows.length > limit ? String(items.at(-1)?.seq ?? after) : null };
  }

  /**
   * Walks the whole chain; finds any changed, missing or swapped entry. With `known`, places of this chain that are written down
   * elsewhere, in order: also what was hashed again, and a tail that was cut. A chain whose beginning the retention dropped
   * goes on from one of them.
   */
  verify(known: readonly ChainEnd[] = []): ChainReport {
    const marks = new Map(known.map(({ seq, hash }) => [seq, hash]));
    const walk = new ChainWalk(this.#hash, this.#beginning(marks));
    let sure = walk.end.seq;
    for (
      let rows = this.rows(walk.end.seq, VERIFY_BATCH);
      rows.length > 0;
      rows = this.rows(walk.end.seq, VERIFY_BATCH)
    ) {
      for (const row of rows) {
        const broken = walk.step(row);
        if (broken !== null) return reportOf(walk.end, broken);
        const mark = marks.get(row.seq);
        if (mark !== undefined && mark !== row.hash) return reportOf(walk.end, rehashed(sure + 1, row.seq));
        if (mark !== undefined) sure = row.seq;
      }
    }
    return reportOf(walk.end, this.#cut(walk.end, known));
  }

  /** Where the first entry that is still there goes on from. */
  #beginning(marks: ReadonlyMap<number, string>): ChainEnd {
    const before = (this.rows(0, 1)[0]?.seq ?? 1) - 1;
    const hash = marks.get(before);
    return hash === undefined ? GENESIS : { seq: before, hash };
  }

  /** What is missing behind `end`. */
  #cut(end: ChainEnd, known: readonly ChainEnd[]): Break | null {
    const last = Math.max(known.at(-1)?.seq ?? 0, this.#head?.seq ?? 0);
    if (last <= end.seq) return null;
    return { brokenAt: end.seq + 1, reason: `the chain was cut: it went on to entry ${last} and ends at ${end.seq}` };
  }
}

function reportOf(end: ChainEnd, broken: Break | null): ChainReport {
  return { ok: broken === null, entries: end.seq, head: end.hash, ...broken };
}

function rehashed(from: number, to: number): Break {
  const which = from === to ? `entry ${to} was` : `of the entries ${from} to ${to} at least one was`;
  return {
    brokenAt: from,
    reason: `${which} changed and all after it hashed again: the checkpoint of ${to} does not fit`,
  };
}
