import { LIMITS } from "../limits.ts";
import type { Sql } from "../ports.ts";
import type { FileEntry, FileVersion } from "./driver.ts";

/**
 * What files were before they were overwritten or deleted, in the object's own SQLite. The content stays where it is: its chunks
 * only get another key, one that no path can be. So keeping a version costs no copy, and happens in the transaction of the act.
 *
 * Kept versions are bounded by file, in number and in bytes, and the oldest go first. They take only what the quota of file
 * bytes leaves free: they give way to files and never refuse one.
 */

const COLUMNS = "ordinal, path, version, bytes, sha256, updated_at, replaced_at";
const KEEP = `INSERT INTO file_versions (path, version, bytes, sha256, updated_at, replaced_at)
  SELECT path, version, bytes, sha256, updated_at, ? FROM files WHERE path = ? RETURNING ordinal`;
const MOVE_CHUNKS = "UPDATE file_chunks SET path = ? WHERE path = ?";
const LIST = `SELECT ${COLUMNS} FROM file_versions WHERE path = ? ORDER BY ordinal DESC LIMIT ?`;
const ONE = `SELECT ${COLUMNS} FROM file_versions WHERE path = ? AND version = ?`;
const LAST = "SELECT coalesce(max(version), 0) AS version FROM file_versions WHERE path = ?";
const BEYOND = "SELECT ordinal FROM file_versions WHERE path = ? ORDER BY ordinal DESC LIMIT -1 OFFSET ?";
const TOTAL = "SELECT count(*) AS count, coalesce(sum(bytes), 0) AS bytes FROM file_versions";
const OLDEST = "SELECT ordinal, bytes FROM file_versions ORDER BY ordinal LIMIT ?";
const DROP = "DELETE FROM file_versions WHERE ordinal = ?";
const DROP_CHUNKS = "DELETE FROM file_chunks WHERE path = ?";

type VersionRow = {
  ordinal: number;
  path: string;
  version: number;
  bytes: number;
  sha256: string;
  updated_at: number;
  replaced_at: number;
};

/** A kept version, and the key that its chunks stand under. */
export interface Kept {
  file: FileEntry;
  chunks: string;
}

export class FileHistory {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Keeps the file at `path`, which is about to be written or deleted: its chunks are gone from there afterwards. */
  keep(path: string, now: number): void {
    const row = this.#sql.first<{ ordinal: number }>(KEEP, now, path);
    if (row !== undefined) this.#sql.run(MOVE_CHUNKS, chunksOf(row.ordinal), path);
  }

  /** Drops what is beyond the bounds; `freeBytes` = what the quota of file bytes leaves. */
  trim(path: string, freeBytes: number): void {
    for (const { ordinal } of this.#sql.all<{ ordinal: number }>(BEYOND, path, LIMITS.fileVersions))
      this.#drop(ordinal);
    const { count = 0, bytes = 0 } = this.#sql.first<{ count: number; bytes: number }>(TOTAL) ?? {};
    const room = Math.min(LIMITS.fileVersionBytes, Math.max(0, freeBytes));
    let over = { count: count - LIMITS.fileVersionsInAll, bytes: bytes - room };
    if (over.count <= 0 && over.bytes <= 0) return;
    for (const oldest of this.#sql.all<{ ordinal: number; bytes: number }>(OLDEST, count)) {
      if (over.count <= 0 && over.bytes <= 0) return;
      this.#drop(oldest.ordinal);
      over = { count: over.count - 1, bytes: over.bytes - oldest.bytes };
    }
  }

  /** The number of the newest kept version; 0 when none is. */
  last(path: string): number {
    return this.#sql.first<{ version: number }>(LAST, path)?.version ?? 0;
  }

  /** Newest first. */
  list(path: string): FileVersion[] {
    return this.#sql.all<VersionRow>(LIST, path, LIMITS.fileVersions).map((row) => ({
      ...entryOf(row),
      replacedAt: new Date(row.replaced_at).toISOString(),
    }));
  }

  find(path: string, version: number): Kept | null {
    const row = this.#sql.first<VersionRow>(ONE, path, version);
    return row === undefined ? null : { file: entryOf(row), chunks: chunksOf(row.ordinal) };
  }

  #drop(ordinal: number): void {
    this.#sql.run(DROP, ordinal);
    this.#sql.run(DROP_CHUNKS, chunksOf(ordinal));
  }
}

/** Paths of files begin with a slash. */
function chunksOf(ordinal: number): string {
  return `version:${ordinal}`;
}

function entryOf({ path, version, bytes, sha256, updated_at }: VersionRow): FileEntry {
  return { path, version, bytes, sha256, updatedAt: new Date(updated_at).toISOString() };
}
