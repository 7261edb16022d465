import * as z from "zod";
import type { Result } from "../errors.ts";
import { type Label, label } from "../security/label.ts";

/** One interface for every place that files can stand in; one contract suite runs against every driver. */

export const fileEntry = z.object({
  /** Absolute in the agent's mounts, e.g. `/workspace/a.txt`. */
  path: z.string(),
  /** 1 for the first write, one more with each. */
  version: z.int(),
  bytes: z.int(),
  /** Hex SHA-256 of the content. */
  sha256: z.string(),
  updatedAt: z.iso.datetime(),
  /** Of the content, where the place keeps it itself: what agents share, and what the kernel writes. */
  label: label.optional(),
});
export type FileEntry = z.infer<typeof fileEntry>;

/** What a file was until `replacedAt`, when it was overwritten or deleted. */
export const fileVersion = fileEntry.extend({ replacedAt: z.iso.datetime() });
export type FileVersion = z.infer<typeof fileVersion>;

export interface FileListing {
  items: FileEntry[];
  nextCursor: string | null;
}

/** A part of a file, in bytes. What lies beyond the end is simply not there. */
export interface FileRange {
  offset: number;
  length: number;
}

export interface WriteOptions {
  /** 0 = only when absent, n = only when it is version n; else `version_conflict`. */
  ifVersion?: number | undefined;
  /**
   * Makes the write idempotent: a repeat with the same key answers what the first one answered and changes nothing, even
   * when the file has changed since; with another path or content it is `idempotency_mismatch`. A refused write leaves
   * no key behind. The newest `LIMITS.fileWritesKept` keys are known.
   */
  key?: string | undefined;
  /** Of the content, for places that keep it themselves; others ignore it. */
  label?: Label | undefined;
}

/** Paths are opaque, well-formed strings to a driver; `mounts.ts` normalises and checks them first. */
export interface StorageDriver {
  readonly name: string;
  /** `not_found` when there is none. `file` describes the whole file, `bytes` are those of `range`. */
  get(path: string, range?: FileRange): Promise<Result<{ file: FileEntry; bytes: Uint8Array }>>;
  /** All of the content or none of it; over `LIMITS.fileBytes` is `too_large`. */
  put(path: string, bytes: Uint8Array, options?: WriteOptions): Promise<Result<FileEntry>>;
  /** `not_found` when there is none. A file written again later goes on counting from its newest version that is kept. */
  delete(path: string, options?: Pick<WriteOptions, "key">): Promise<Result<null>>;
  /**
   * Files whose path starts with the characters of `prefix`, in the order of code points, at most `limit` of them and
   * never more than `LIMITS.fileListMax`. The cursor is the last path seen.
   */
  list(prefix: string, options: { limit: number; cursor?: string | undefined }): Promise<Result<FileListing>>;
  /** Earlier versions that are kept, newest first, also of a file that was deleted. Drivers may keep none. */
  versions?(path: string): Promise<Result<FileVersion[]>>;
  /** One of them, or the file itself when that is its version; else `not_found`. */
  getVersion?(path: string, version: number): Promise<Result<{ file: FileEntry; bytes: Uint8Array }>>;
}
