import type { Result } from "../../kernel/errors.ts";
import type { FileEntry, FileListing, FileRange, WriteOptions } from "../../kernel/storage/driver.ts";

/** What a `SharedFiles` object answers by RPC, as the storage contract has it. Whoever calls has judged the path. */
export interface SharedFilesRpc {
  read(path: string, range?: FileRange): Promise<Result<{ file: FileEntry; bytes: Uint8Array }>>;
  write(path: string, bytes: Uint8Array, options: WriteOptions): Promise<Result<FileEntry>>;
  remove(path: string, options: Pick<WriteOptions, "key">): Promise<Result<null>>;
  list(prefix: string, options: { limit: number; cursor?: string | undefined }): Promise<Result<FileListing>>;
}
