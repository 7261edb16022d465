import { KernelBug } from "../errors.ts";
import type { Clock, Hash, Sql } from "../ports.ts";

/**
 * An object's life: one append-only, hash-chained log in its SQLite. The journal, the ledger, the audit trail and the
 * event stream are views of it. Content stands in pages and files; the log refers to it by id and SHA-256, so that
 * erasing content keeps the chain.
 *
 * `hash(n) = SHA-256(hash(n-1) "\n" JSON([seq, at, kind, callId, actor, data]))`, with `hash(0)` = 64 zeros.
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
  entries: number;
  /** Hash of the newest entry. */
  head: string;
  /** Sequence number of the first entry that does not fit. */
  brokenAt?: number;
}

type Row = { seq: number; at: number; kind: string; call_id: string | null; actor: string; data: string; hash: string };

const GENESIS = "0".repeat(64);
const VERIFY_BATCH = 1_000;

const HEAD = "SELECT seq, hash FROM log ORDER BY seq DESC LIMIT 1";
const INSERT = "INSERT INTO log (seq, at, kind, call_id, actor, data, hash) VALUES (?, ?, ?, ?, ?, ?, ?)";
const AFTER = "SELECT * FROM log WHERE seq > ? ORDER BY seq LIMIT ?";
const FILTERED = `SELECT * FROM log WHERE seq > ?1 AND at >= ?2 AND (?3 IS NULL OR kind = ?3 OR kind GLOB ?3 || '*' AND ?3 GLOB '*.')
  ORDER BY seq LIMIT ?4`;

function link(previous: string, row: Omit<Row, "hash">, hash: Hash): string {
  return hash.sha256(`${previous}\n${JSON.stringify([row.seq, row.at, row.kind, row.call_id, row.actor, row.data])}`);
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
  readonly #onAppend: (entry: LogEntry) => void;
  #head: { seq: number; hash: string } | null = null;

  /** `onAppend` sees each entry as it is written, inside the transaction: it may only remember it. */
  constructor(ports: { sql: Sql; clock: Clock; hash: Hash }, onAppend: (entry: LogEntry) => void = () => {}) {
    this.#sql = ports.sql;
    this.#clock = ports.clock;
    this.#hash = ports.hash;
    this.#onAppend = onAppend;
  }

  /** Appends one entry. Call it inside the transaction of the act that it records. */
  append(kind: string, actor: string, data: Record<string, unknown>, callId: string | null = null): LogEntry {
    const previous = this.head();
    const row = {
      seq: previous.seq + 1,
      at: this.#clock.now(),
      kind,
      call_id: callId,
      actor,
      data: JSON.stringify(data),
    };
    const hash = link(previous.hash, row, this.#hash);
    this.#sql.run(INSERT, row.seq, row.at, row.kind, row.call_id, row.actor, row.data, hash);
    this.#head = { seq: row.seq, hash };
    const entry = { seq: row.seq, at: row.at, kind, callId, actor, data, hash };
    this.#onAppend(entry);
    return entry;
  }

  /** Sequence number and hash of the newest entry; zeros when the log is empty. */
  head(): { seq: number; hash: string } {
    this.#head ??= this.#sql.first<{ seq: number; hash: string }>(HEAD) ?? { seq: 0, hash: GENESIS };
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

  /** Walks the whole chain; finds any changed, missing, swapped or re-hashed entry. */
  verify(): ChainReport {
    let previous = { seq: 0, hash: GENESIS };
    for (;;) {
      const rows = this.#sql.all<Row>(AFTER, previous.seq, VERIFY_BATCH);
      for (const row of rows) {
        if (row.seq !== previous.seq + 1 || row.hash !== link(previous.hash, row, this.#hash)) {
          return { ok: false, entries: previous.seq, head: previous.hash, brokenAt: previous.seq + 1 };
        }
        previous = { seq: row.seq, hash: row.hash };
      }
      if (rows.length < VERIFY_BATCH) break;
    }
    const head = this.head();
    if (head.seq !== previous.seq) throw new KernelBug(`log head ${head.seq} is not its end ${previous.seq}`);
    return { ok: true, entries: previous.seq, head: previous.hash };
  }
}
