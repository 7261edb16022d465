import type { Clock } from "../../ports.ts";

/** The first level: replies in this isolate's memory, least recently used out first, within a size and an age. */
export class MemoryReplies<Value> {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #ttlMs: number;
  /** In order of use; a Map keeps the order of insertion. */
  readonly #entries = new Map<string, { value: Value; bytes: number; until: number }>();
  #bytes = 0;

  constructor(clock: Clock, bounds: { maxBytes: number; ttlMs: number }) {
    this.#clock = clock;
    this.#maxBytes = bounds.maxBytes;
    this.#ttlMs = bounds.ttlMs;
  }

  get(key: string): Value | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    this.delete(key);
    if (entry.until <= this.#clock.now()) return null;
    this.#insert(key, entry);
    return entry.value;
  }

  /** `text` is the entry as JSON; its length stands for its size. */
  put(key: string, value: Value, text: string): void {
    this.delete(key);
    const bytes = 2 * text.length;
    if (bytes > this.#maxBytes) return;
    this.#insert(key, { value, bytes, until: this.#clock.now() + this.#ttlMs });
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }

  #insert(key: string, entry: { value: Value; bytes: number; until: number }): void {
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
  }
}
