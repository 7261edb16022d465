import { withinMs } from "../deadline.ts";
import { err, ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Hash, ObjectStore } from "../ports.ts";
import type { PageRow, PageTable } from "./page-table.ts";
import type { SegmentTable } from "./segment-table.ts";

/**
 * Gets a page's content from wherever it is, and changes nothing. A cold page is one ranged read of its segment, and must
 * have the hash that it left with: wrong bytes are an error, never an answer. The store is asynchronous, so whoever writes
 * after a read looks at the row again first.
 */
export class PageReader {
  readonly #table: PageTable;
  readonly #segments: SegmentTable;
  readonly #objects: ObjectStore;
  readonly #hash: Hash;

  constructor(parts: { table: PageTable; segments: SegmentTable; objects: ObjectStore; hash: Hash }) {
    this.#table = parts.table;
    this.#segments = parts.segments;
    this.#objects = parts.objects;
    this.#hash = parts.hash;
  }

  async read(row: PageRow): Promise<Result<string>> {
    const resident = this.#table.content(row.ordinal);
    return resident === null ? await this.#fromSegment(row) : ok(resident);
  }

  /** Contents of what can be read within `ms`, a few reads at a time, by ordinal. */
  async readAll(rows: readonly PageRow[], ms: number = LIMITS.demandPagingMs): Promise<Map<number, string>> {
    const contents = new Map<number, string>();
    const queue = [...rows];
    const worker = async () => {
      for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
        const read = await this.read(row);
        if (read.ok) contents.set(row.ordinal, read.value);
      }
    };
    await withinMs(ms, Promise.all(Array.from({ length: LIMITS.objectReads }, worker)));
    queue.length = 0;
    return new Map(contents);
  }

  async #fromSegment(row: PageRow): Promise<Result<string>> {
    const { segment_id: segmentId, segment_offset: offset } = row;
    const key = segmentId === null ? null : this.#segments.keyOf(segmentId);
    if (key === null || offset === null) return gone(row.id);
    const bytes = await this.#fetch(key, offset, row.bytes);
    if (!bytes.ok) return bytes;
    if (this.#table.byOrdinal(row.ordinal) === undefined) return gone(row.id);
    if (bytes.value === null)
      return err("internal", `page ${row.id} is lost: its segment ${segmentId} is not in the object store`);
    if (this.#hash.sha256(bytes.value) !== row.sha256) {
      return err(
        "internal",
        `page ${row.id} is damaged: segment ${segmentId} does not hold the bytes that were written`,
      );
    }
    return ok(new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(bytes.value));
  }

  /** A store that does not answer is a failure of this page, not of the process. */
  async #fetch(key: string, offset: number, length: number): Promise<Result<Uint8Array | null>> {
    try {
      return ok(await this.#objects.get(key, { offset, length }));
    } catch (cause) {
      return err(
        "unavailable",
        `the object store did not answer: ${cause instanceof Error ? cause.message : String(cause)}`,
      );
    }
  }
}

function gone(id: string): Result<never> {
  return err("not_found", `there is no page ${id}`);
}
