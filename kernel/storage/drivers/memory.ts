import { ok, type Result } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { Clock, Hash } from "../../ports.ts";
import type { FileEntry, FileListing, FileRange, StorageDriver, WriteOptions } from "../driver.ts";
import { comparePaths } from "../path.ts";
import { clamp, type DoneWrite, deleteAction, notFound, pageSize, putAction, refuseWrite, repeat } from "./rules.ts";

/** Files in memory: for the simulator, and as the plainest reading of the driver contract. Bytes are copied in and out. */
export class MemoryStorage implements StorageDriver {
  readonly name = "memory";
  readonly #clock: Clock;
  readonly #hash: Hash;
  readonly #files = new Map<string, { file: FileEntry; bytes: Uint8Array }>();
  /** The newest version of each file that was deleted. */
  readonly #last = new Map<string, number>();
  /** In the order of their making, so that the oldest is the first. */
  readonly #writes = new Map<string, DoneWrite>();

  constructor(ports: { clock: Clock; hash: Hash }) {
    this.#clock = ports.clock;
    this.#hash = ports.hash;
  }

  async get(path: string, range?: FileRange): Promise<Result<{ file: FileEntry; bytes: Uint8Array }>> {
    const stored = this.#files.get(path);
    if (stored === undefined) return notFound(path);
    const { offset, length } = clamp(range, stored.bytes.length);
    return ok({ file: { ...stored.file }, bytes: stored.bytes.slice(offset, offset + length) });
  }

  async put(path: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<Result<FileEntry>> {
    const sha256 = this.#hash.sha256(bytes);
    const action = putAction(path, sha256);
    const done = this.#done(options.key);
    if (done !== undefined) return repeat(done, action);
    const current = this.#files.get(path)?.file;
    const refusal = refuseWrite(path, bytes, current, options);
    if (refusal !== null) return refusal;
    const updatedAt = new Date(this.#clock.now()).toISOString();
    const file = {
      path,
      version: (current?.version ?? this.#last.get(path) ?? 0) + 1,
      bytes: bytes.length,
      sha256,
      updatedAt,
    };
    this.#files.set(path, { file, bytes: bytes.slice() });
    this.#remember(options.key, { action, answer: file });
    return ok({ ...file });
  }

  async delete(path: string, options: Pick<WriteOptions, "key"> = {}): Promise<Result<null>> {
    const action = deleteAction(path);
    const done = this.#done(options.key);
    const found = done === undefined ? this.#files.get(path)?.file : undefined;
    if (done !== undefined) {
      const answer = repeat(done, action);
      return answer.ok ? ok(null) : answer;
    }
    if (found === undefined) return notFound(path);
    this.#files.delete(path);
    this.#last.set(path, found.version);
    this.#remember(options.key, { action, answer: found });
    return ok(null);
  }

  async list(prefix: string, options: { limit: number; cursor?: string | undefined }): Promise<Result<FileListing>> {
    const { cursor } = options;
    const limit = pageSize(options.limit);
    const paths = [...this.#files.keys()]
      .filter((path) => path.startsWith(prefix) && (cursor === undefined || comparePaths(path, cursor) > 0))
      .sort(comparePaths)
      .slice(0, limit + 1);
    const items = paths.slice(0, limit).flatMap((path) => this.#files.get(path)?.file ?? []);
    return ok({
      items: items.map((file) => ({ ...file })),
      nextCursor: paths.length > limit ? (paths[limit - 1] ?? null) : null,
    });
  }

  #done(key: string | undefined): DoneWrite | undefined {
    return key === undefined ? undefined : this.#writes.get(key);
  }

  #remember(key: string | undefined, write: DoneWrite): void {
    if (key === undefined) return;
    this.#writes.set(key, write);
    const [oldest] = this.#writes.keys();
    if (oldest !== undefined && this.#writes.size > LIMITS.fileWritesKept) this.#writes.delete(oldest);
  }
}
