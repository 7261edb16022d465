import { err, ok, type Result } from "../errors.ts";
import type { Sight, Start } from "../security/sight.ts";
import type { FileEntry, FileListing, FileRange, StorageDriver, WriteOptions } from "./driver.ts";
import { notFound, pageSize, type Refusal } from "./drivers/rules.ts";
import { comparePaths, resolvePath } from "./path.ts";

/** Asks for the facts of a file without its content. */
const NOTHING = { offset: 0, length: 0 };

/**
 * The files of an agent as its process sees them. What it does not see is not there for it: reading answers as if nobody had written
 * it, and no listing names it, not in a cursor either. System calls get this; people by the API get the mounts themselves.
 */
export class FilesInSight implements StorageDriver {
  readonly name = "files in sight";
  readonly #files: StorageDriver;
  readonly #sight: Sight;

  constructor(files: StorageDriver, sight: Sight) {
    this.#files = files;
    this.#sight = sight;
  }

  async get(path: string, range?: FileRange): Promise<Result<{ file: FileEntry; bytes: Uint8Array }>> {
    const resolved = resolvePath(path);
    if (!resolved.ok) return resolved;
    if (this.#sight.accessOf(resolved.value) === "none") return notFound(resolved.value);
    return this.#files.get(resolved.value, range);
  }

  async put(path: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<Result<FileEntry>> {
    return this.refusal(path) ?? this.#files.put(path, bytes, options);
  }

  async delete(path: string, options: Pick<WriteOptions, "key"> = {}): Promise<Result<null>> {
    return this.refusal(path) ?? this.#files.delete(path, options);
  }

  /** Why the process may not write at `path`, or null. */
  refusal(path: string): Refusal | null {
    const resolved = resolvePath(path);
    if (!resolved.ok) return resolved;
    const access = this.#sight.accessOf(resolved.value);
    if (access === "write") return null;
    if (access === "read") return err("forbidden", `this process only reads ${resolved.value}`);
    return err("forbidden", `${resolved.value} is not among the files of this process`);
  }

  async list(prefix: string, options: { limit: number; cursor?: string | undefined }): Promise<Result<FileListing>> {
    const resolved = resolvePath(prefix);
    if (!resolved.ok) return resolved;
    const limit = pageSize(options.limit);
    const items: FileEntry[] = [];
    for (const start of this.#sight.starts(resolved.value)) {
      // One more than is answered says whether there is another page.
      const found = await this.#listAt(start, limit + 1 - items.length, options.cursor);
      if (!found.ok) return found;
      items.push(...found.value);
      if (items.length <= limit) continue;
      const page = items.slice(0, limit);
      return ok({ items: page, nextCursor: page.at(-1)?.path ?? null });
    }
    return ok({ items, nextCursor: null });
  }

  /** Up to `limit` files that the process sees, from behind `cursor` on. */
  async #listAt(start: Start, limit: number, cursor: string | undefined): Promise<Result<FileEntry[]>> {
    if (start.isFile) return this.#listFile(start.text, cursor);
    const seen: FileEntry[] = [];
    let from = cursor;
    for (let round = 0; round <= limit + this.#sight.hiddenParts; round++) {
      const listed = await this.#files.list(start.text, { limit, cursor: from });
      if (!listed.ok) return listed;
      const { items, nextCursor } = listed.value;
      const hidden = items.findIndex(({ path }) => this.#sight.accessOf(path) === "none");
      seen.push(...(hidden < 0 ? items : items.slice(0, hidden)));
      if (seen.length >= limit) return ok(seen.slice(0, limit));
      if (hidden < 0 && nextCursor === null) return ok(seen);
      from = hidden < 0 ? (nextCursor ?? from) : this.#sight.beyond(items[hidden]?.path ?? "");
    }
    return ok(seen);
  }

  async #listFile(path: string, cursor: string | undefined): Promise<Result<FileEntry[]>> {
    if (cursor !== undefined && comparePaths(path, cursor) <= 0) return ok([]);
    const got = await this.get(path, NOTHING);
    return ok(got.ok ? [got.value.file] : []);
  }
}
