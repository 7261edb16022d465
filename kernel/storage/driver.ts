import * as z from "zod";
import type { Result } from "../errors.ts";

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
});
export type FileEntry = z.infer<typeof fileEntry>;

export interface FileListing {
  items: FileEntry[];
  nextCursor: string | null;
}

export interface StorageDriver {
  readonly name: string;
  get(path: string): Promise<Result<{ file: FileEntry; bytes: Uint8Array }>>;
  /** `ifVersion`: 0 = only when absent, n = only when it is version n; else `version_conflict`. */
  put(path: string, bytes: Uint8Array, options?: { ifVersion?: number | undefined }): Promise<Result<FileEntry>>;
  delete(path: string): Promise<Result<null>>;
  /** In the order of paths. The cursor is the last path seen. */
  list(prefix: string, options: { limit: number; cursor?: string | undefined }): Promise<Result<FileListing>>;
}
