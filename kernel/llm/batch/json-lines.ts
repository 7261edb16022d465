/**
 * Lines out of chunks of UTF-8. Only the line under way is held, and one that is longer than `maxBytes` is cut: what it
 * yields is then too long, which the reader of lines has to look at. The last line needs no line feed.
 */
export class JsonLines {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  readonly #maxChars: number;
  #rest = "";

  constructor(maxBytes: number) {
    this.#maxChars = maxBytes;
  }

  /** The lines that `chunk` completes; without a chunk, the last one. Throws a TypeError for what is not UTF-8. */
  *take(chunk?: Uint8Array): Generator<string, void, void> {
    const text = this.#decoder.decode(chunk, { stream: chunk !== undefined });
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      const line = this.#rest + text.slice(start, end);
      this.#rest = "";
      start = end + 1;
      yield line;
    }
    if (this.#rest.length <= this.#maxChars) this.#rest += text.slice(start);
    if (chunk === undefined && this.#rest !== "") yield this.#rest;
  }
}
