import { closeSync, type FSWatcher, openSync, readSync, watch } from "node:fs";

const READ_BYTES = 1024 * 1024;

/** A file of lines that somebody else writes: each whole line is taken once, soon after it was written. */
export class FollowedFile {
  readonly #file: number;
  readonly #watcher: FSWatcher;
  readonly #buffer = Buffer.alloc(READ_BYTES);
  readonly #take: (line: string) => void;
  /** The beginning of a line whose end was not read yet. */
  #rest = Buffer.alloc(0);

  constructor(path: string, take: (line: string) => void) {
    this.#take = take;
    this.#file = openSync(path, "r");
    this.#watcher = watch(path, () => this.#readOn());
  }

  close(): void {
    this.#watcher.close();
    closeSync(this.#file);
  }

  #readOn(): void {
    for (let bytes = 1; bytes > 0; ) {
      bytes = readSync(this.#file, this.#buffer);
      const text = Buffer.concat([this.#rest, this.#buffer.subarray(0, bytes)]);
      const end = text.lastIndexOf("\n") + 1;
      this.#rest = text.subarray(end);
      for (const line of text.subarray(0, end).toString("utf8").split("\n")) if (line !== "") this.#take(line);
    }
  }
}
