import type { Sql } from "../ports.ts";

/**
 * The segments of one agent. A row is written before its object and counts the pages that still need it, so that whatever
 * a crash leaves behind is a row without pages, and can be swept.
 */

export type SegmentRow = {
  id: string;
  key: string;
  pages: number;
  live: number;
  bytes: number;
  sha256: string;
  created_at: number;
};

const OPEN = "INSERT INTO segments (id, key, pages, live, bytes, sha256, created_at) VALUES (?, ?, ?, 0, ?, ?, ?)";
const FILL = "UPDATE segments SET live = ? WHERE id = ?";
const RELEASE = "UPDATE segments SET live = live - 1 WHERE id = ?";
const KEY = "SELECT key FROM segments WHERE id = ?";
const ORPHANS = "SELECT * FROM segments WHERE live <= 0 ORDER BY rowid LIMIT ?";
const ALL = "SELECT * FROM segments WHERE live > 0 ORDER BY rowid";
const DELETE = "DELETE FROM segments WHERE id = ? AND live <= 0";

export class SegmentTable {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Declares an object that is about to be written. */
  open(segment: Omit<SegmentRow, "live">): void {
    const { id, key, pages, bytes, sha256, created_at } = segment;
    this.#sql.run(OPEN, id, key, pages, bytes, sha256, created_at);
  }

  /** The object is written and `live` pages point into it. */
  fill(id: string, live: number): void {
    this.#sql.run(FILL, live, id);
  }

  /** One page less needs it. */
  release(id: string): void {
    this.#sql.run(RELEASE, id);
  }

  keyOf(id: string): string | null {
    return this.#sql.first<{ key: string }>(KEY, id)?.key ?? null;
  }

  orphans(limit: number): SegmentRow[] {
    return this.#sql.all<SegmentRow>(ORPHANS, limit);
  }

  all(): SegmentRow[] {
    return this.#sql.all<SegmentRow>(ALL);
  }

  delete(id: string): void {
    this.#sql.run(DELETE, id);
  }
}
