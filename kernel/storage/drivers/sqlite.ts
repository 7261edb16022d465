import { err, KernelBug, ok, type Result } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { Clock, Hash, Sql } from "../../ports.ts";
import type { Stored } from "../../process/spec.ts";
import type { FileEntry, FileListing, FileRange, FileVersion, StorageDriver, WriteOptions } from "../driver.ts";
import { FileHistory } from "../file-history.ts";
import { comparePaths } from "../path.ts";
import { BOUNDLESS, type Room } from "../room.ts";
import { clamp, type DoneWrite, deleteAction, notFound, pageSize, putAction, refuseWrite, repeat } from "./rules.ts";

/**
 * Files in the object's own SQLite: durable with the object, no network. Content is cut into chunks, because a row ends
 * at 2 MB. Every write is one transaction and no method awaits inside it, so nothing comes between a check and its act.
 */

const COLUMNS = "path, version, bytes, sha256, updated_at";
const FILE = `SELECT ${COLUMNS} FROM files WHERE path = ?`;
const PUT_FILE = `INSERT INTO files (${COLUMNS}) VALUES (?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET
  version = excluded.version, bytes = excluded.bytes, sha256 = excluded.sha256, updated_at = excluded.updated_at`;
const DELETE_FILE = "DELETE FROM files WHERE path = ?";
const LIST_FROM = `SELECT ${COLUMNS} FROM files WHERE path >= ? ORDER BY path LIMIT ?`;
const LIST_AFTER = `SELECT ${COLUMNS} FROM files WHERE path > ? ORDER BY path LIMIT ?`;

const STORED = "SELECT count(*) AS files, coalesce(sum(bytes), 0) AS fileBytes FROM files";

const CHUNKS =
  "SELECT position, content FROM file_chunks WHERE path = ? AND position BETWEEN ? AND ? ORDER BY position";
const PUT_CHUNK = "INSERT INTO file_chunks (path, position, content) VALUES (?, ?, ?)";

const WRITE = "SELECT action, answer FROM file_writes WHERE key = ?";
const PUT_WRITE = "INSERT INTO file_writes (key, action, answer) VALUES (?, ?, ?)";
const TRIM_WRITES = "DELETE FROM file_writes WHERE ordinal <= (SELECT MAX(ordinal) FROM file_writes) - ?";

const CHUNK = LIMITS.fileChunkBytes;

type FileRow = { path: string; version: number; bytes: number; sha256: string; updated_at: number };

function entryOf(row: FileRow): FileEntry {
  const { updated_at, ...facts } = row;
  return { ...facts, updatedAt: new Date(updated_at).toISOString() };
}

export class SqliteStorage implements StorageDriver {
  readonly name = "sqlite";
  readonly #sql: Sql;
  readonly #clock: Clock;
  readonly #hash: Hash;
  readonly #room: Room;
  readonly #history: FileHistory;

  constructor(ports: { sql: Sql; clock: Clock; hash: Hash }, room: Room = BOUNDLESS) {
    this.#room = room;
    this.#history = new FileHistory(ports.sql);
    this.#sql = ports.sql;
    this.#clock = ports.clock;
    this.#hash = ports.hash;
  }

  async get(path: string, range?: FileRange): Promise<Result<{ file: FileEntry; bytes: Uint8Array }>> {
    const file = this.#file(path);
    if (file === undefined) return notFound(path);
    return ok({ file, bytes: this.#read(file, path, clamp(range, file.bytes)) });
  }

  async versions(path: string): Promise<Result<FileVersion[]>> {
    return ok(this.#history.list(path));
  }

  async getVersion(path: string, version: number): Promise<Result<{ file: FileEntry; bytes: Uint8Array }>> {
    const file = this.#file(path);
    if (file?.version === version) return this.get(path);
    const kept = this.#history.find(path, version);
    if (kept === null) return err("not_found", `Version ${version} of ${path} is not kept.`);
    return ok({ file: kept.file, bytes: this.#read(kept.file, kept.chunks, clamp(undefined, kept.file.bytes)) });
  }

  async put(path: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<Result<FileEntry>> {
    const sha256 = this.#hash.sha256(bytes);
    return this.#once(options.key, putAction(path, sha256), () => {
      const current = this.#file(path);
      const refusal = refuseWrite(path, bytes, current, options);
      if (refusal !== null) return refusal;
      const growth = this.#room.begin();
      const change = { files: current === undefined ? 1 : 0, fileBytes: bytes.length - (current?.bytes ?? 0) };
      const spent = growth.take(change);
      if (spent !== null) return { ok: false, error: spent };
      const last = current?.version ?? this.#history.last(path);
      if (current !== undefined) this.#history.keep(path, this.#clock.now());
      const row = { version: last + 1, bytes: bytes.length, updated_at: this.#clock.now() };
      this.#sql.run(PUT_FILE, path, row.version, row.bytes, sha256, row.updated_at);
      this.#write(path, bytes);
      growth.done();
      this.#history.trim(path, this.#room.freeFileBytes());
      return ok(entryOf({ path, sha256, ...row }));
    });
  }

  async delete(path: string, options: Pick<WriteOptions, "key"> = {}): Promise<Result<null>> {
    const deleted = this.#once(options.key, deleteAction(path), () => {
      const file = this.#file(path);
      if (file === undefined) return notFound(path);
      this.#history.keep(path, this.#clock.now());
      this.#sql.run(DELETE_FILE, path);
      this.#history.trim(path, this.#room.freeFileBytes());
      return ok(file);
    });
    return deleted.ok ? ok(null) : deleted;
  }

  async list(prefix: string, options: { limit: number; cursor?: string | undefined }): Promise<Result<FileListing>> {
    const limit = pageSize(options.limit);
    const { cursor } = options;
    const rows =
      cursor !== undefined && comparePaths(cursor, prefix) >= 0
        ? this.#sql.all<FileRow>(LIST_AFTER, cursor, limit + 1)
        : this.#sql.all<FileRow>(LIST_FROM, prefix, limit + 1);
    // Paths with the prefix stand together: the first one without it ends the list.
    const end = rows.findIndex((row) => !row.path.startsWith(prefix));
    const found = end === -1 ? rows : rows.slice(0, end);
    const items = found.slice(0, limit).map(entryOf);
    return ok({ items, nextCursor: found.length > limit ? (items.at(-1)?.path ?? null) : null });
  }

  stored(): Pick<Stored, "files" | "fileBytes"> {
    return this.#sql.first<Pick<Stored, "files" | "fileBytes">>(STORED) ?? { files: 0, fileBytes: 0 };
  }

  #file(path: string): FileEntry | undefined {
    const row = this.#sql.first<FileRow>(FILE, path);
    return row && entryOf(row);
  }

  /** Reads only the chunks that `range` touches; they stand under `key`. */
  #read(file: FileEntry, key: string, range: FileRange): Uint8Array {
    const bytes = new Uint8Array(range.length);
    const end = range.offset + range.length;
    const first = Math.floor(range.offset / CHUNK);
    const chunks = this.#sql.all<{ position: number; content: ArrayBuffer }>(
      CHUNKS,
      key,
      first,
      Math.ceil(end / CHUNK) - 1,
    );
    let copied = 0;
    for (const { position, content } of chunks) {
      const start = Math.max(range.offset - position * CHUNK, 0);
      const part = new Uint8Array(content).subarray(start, end - position * CHUNK);
      bytes.set(part, position * CHUNK + start - range.offset);
      copied += part.length;
    }
    if (copied !== range.length) throw new KernelBug(`${file.path} has ${copied} of ${range.length} bytes`);
    return bytes;
  }

  #write(path: string, bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length; offset += CHUNK) {
      this.#sql.run(PUT_CHUNK, path, offset / CHUNK, bytes.subarray(offset, offset + CHUNK));
    }
  }

  /** Does `write` in one transaction, unless `key` says that it was done before. */
  #once(key: string | undefined, action: string, write: () => Result<FileEntry>): Result<FileEntry> {
    return this.#sql.transaction(() => {
      const done = key === undefined ? undefined : this.#done(key);
      if (done !== undefined) return repeat(done, action);
      const written = write();
      if (written.ok && key !== undefined) this.#remember(key, { action, answer: written.value });
      return written;
    });
  }

  #done(key: string): DoneWrite | undefined {
    const row = this.#sql.first<{ action: string; answer: string }>(WRITE, key);
    return row && { action: row.action, answer: JSON.parse(row.answer) as FileEntry };
  }

  #remember(key: string, write: DoneWrite): void {
    this.#sql.run(PUT_WRITE, key, write.action, JSON.stringify(write.answer));
    this.#sql.run(TRIM_WRITES, LIMITS.fileWritesKept);
  }
}
