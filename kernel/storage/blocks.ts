import { LIMITS } from "../limits.ts";
import { free } from "./free.ts";

/**
 * A text of megabytes as UTF-8, in blocks. One array of the whole would need as long a stretch of free memory; what small
 * things of longer life leave between two ingests is never as long, so the allocator would take a new stretch each time and
 * keep the old ones (docs/decisions/0009-ingest-memory.md). Blocks fit wherever blocks were before.
 */
export type Blocks = readonly Uint8Array<ArrayBuffer>[];

/** The most bytes that one unit of UTF-16 becomes. */
const BYTES_A_UNIT = 3;

/** Takes a text piece by piece. A lone surrogate becomes a replacement character. */
export class BlockWriter {
  readonly #encoder = new TextEncoder();
  readonly #full: Uint8Array<ArrayBuffer>[] = [];
  #open: Uint8Array<ArrayBuffer> | null = null;
  #used = 0;

  /** No character lies across two blocks, unless it came in two pieces. */
  write(piece: string): void {
    for (let rest = piece; rest !== ""; ) {
      this.#open ??= new Uint8Array(LIMITS.blockBytes);
      const { read, written } = this.#encoder.encodeInto(rest, this.#open.subarray(this.#used));
      this.#used += written;
      rest = rest.slice(read);
      if (this.#open.length - this.#used < BYTES_A_UNIT + 1) this.#close();
    }
  }

  get isEmpty(): boolean {
    return this.#full.length === 0 && this.#used === 0;
  }

  get blocks(): Blocks {
    return this.#open === null || this.#used === 0 ? this.#full : [...this.#full, this.#open.subarray(0, this.#used)];
  }

  /** Forgets what was written. */
  clear(): void {
    for (const block of this.blocks) free(block);
    this.#full.length = 0;
    this.#open = null;
    this.#used = 0;
  }

  #close(): void {
    if (this.#open !== null) this.#full.push(this.#open.subarray(0, this.#used));
    this.#open = null;
    this.#used = 0;
  }
}
