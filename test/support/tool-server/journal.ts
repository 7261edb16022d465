import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import type { ToolEntry } from "./order.ts";

/** What the tool server received and did, on disk before it goes on: the oracle of tests that kill the kernel. */

type Fields<T> = T extends unknown ? Omit<T, "seq" | "at"> : never;

export class ToolJournal {
  readonly #path: string;
  readonly #file: number;
  #seq = 0;

  /** Starts a new file. */
  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, "w");
  }

  append(fields: Fields<ToolEntry>): void {
    this.#seq += 1;
    writeSync(this.#file, `${JSON.stringify({ seq: this.#seq, at: new Date().toISOString(), ...fields })}\n`);
    fsyncSync(this.#file);
  }

  text(): string {
    return readFileSync(this.#path, "utf8");
  }

  close(): void {
    closeSync(this.#file);
  }
}
