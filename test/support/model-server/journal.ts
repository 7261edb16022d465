import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import type { JournalEntry } from "./script.ts";

/** What the server received and sent, on disk before it takes effect: the oracle of tests that kill the kernel. */

type Fields<T> = T extends unknown ? Omit<T, "seq" | "at"> : never;

export class Journal {
  readonly #path: string;
  readonly #file: number;
  readonly #synced: boolean;
  #seq = 0;

  /** Starts a new file. Without `synced` a line outlives this process, not the machine. */
  constructor(path: string, synced = true) {
    this.#path = path;
    this.#synced = synced;
    this.#file = openSync(path, "w");
  }

  append(fields: Fields<JournalEntry>): void {
    this.#seq += 1;
    writeSync(this.#file, `${JSON.stringify({ seq: this.#seq, at: new Date().toISOString(), ...fields })}\n`);
    if (this.#synced) fsyncSync(this.#file);
  }

  text(): string {
    return readFileSync(this.#path, "utf8");
  }

  close(): void {
    closeSync(this.#file);
  }
}
