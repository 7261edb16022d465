import { ok, type Result } from "../../errors.ts";
import type { FileLabels } from "../../process/file-labels.ts";
import { LABELS } from "../../security/label.ts";
import type { FileEntry, FileListing, FileRange, StorageDriver, WriteOptions } from "../driver.ts";

/**
 * A driver whose files say what they carry, for places that several processes write and read: what one wrote carries into whoever
 * reads it what the writer had read. The label is raised before the content is written, so that a crash between the two leaves a file
 * that is trusted less than it might be, never more.
 */
export class LabelledStorage implements StorageDriver {
  readonly name: string;
  readonly #files: StorageDriver;
  readonly #labels: FileLabels;

  constructor(files: StorageDriver, labels: FileLabels) {
    this.name = `labelled ${files.name}`;
    this.#files = files;
    this.#labels = labels;
  }

  async get(path: string, range?: FileRange): Promise<Result<{ file: FileEntry; bytes: Uint8Array }>> {
    const got = await this.#files.get(path, range);
    return got.ok ? ok({ ...got.value, file: this.#labelled(got.value.file) }) : got;
  }

  /** Content that nobody labels is a document's: untrusted and private. */
  async put(path: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<Result<FileEntry>> {
    this.#labels.raise(path, options.label ?? LABELS.document);
    const put = await this.#files.put(path, bytes, options);
    return put.ok ? ok(this.#labelled(put.value)) : put;
  }

  delete(path: string, options: Pick<WriteOptions, "key"> = {}): Promise<Result<null>> {
    return this.#files.delete(path, options);
  }

  async list(prefix: string, options: { limit: number; cursor?: string | undefined }): Promise<Result<FileListing>> {
    const listed = await this.#files.list(prefix, options);
    if (!listed.ok) return listed;
    return ok({ ...listed.value, items: listed.value.items.map((file) => this.#labelled(file)) });
  }

  #labelled(file: FileEntry): FileEntry {
    return { ...file, label: this.#labels.of(file.path) };
  }
}
