/** What a program prints, up to a number of bytes; the rest is counted and not kept. */
export class Printed {
  readonly #maxBytes: number;
  readonly #encoder = new TextEncoder();
  #text = "";
  #bytes = 0;
  #dropped = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  line(text: string): void {
    const bytes = this.#encoder.encode(text).length + 1;
    if (this.#bytes + bytes > this.#maxBytes) {
      this.#dropped++;
      return;
    }
    this.#bytes += bytes;
    this.#text += `${text}\n`;
  }

  get text(): string {
    return this.#dropped === 0 ? this.#text : `${this.#text}... ${this.#dropped} more lines were not kept\n`;
  }
}
