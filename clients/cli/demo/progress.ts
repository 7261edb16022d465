/**
 * The demo's running commentary. On a terminal the newest line is rewritten in place while work goes on; elsewhere every
 * line stays, and updates come seldom.
 */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #started = performance.now();
  #live = false;
  #lastUpdate = 0;

  constructor(out: NodeJS.WriteStream = process.stdout) {
    this.#out = out;
  }

  /** A line that stays, with the seconds since the start. */
  say(text: string): void {
    this.#clear();
    this.#out.write(`${this.#clock()}  ${text}\n`);
  }

  /** Text as it is, below the commentary. */
  block(text: string): void {
    this.#clear();
    this.#out.write(`${text}\n`);
  }

  /** How far the work is. `text` is called only when it is shown. */
  update(text: () => string): void {
    const now = performance.now();
    if (now - this.#lastUpdate < (this.#out.isTTY ? LIVE_MS : PLAIN_MS)) return;
    this.#lastUpdate = now;
    if (!this.#out.isTTY) return this.say(text());
    this.#out.write(
      `\r\x1b[2K${this.#clock()}  ${text()}`.slice(0, (this.#out.columns || DEFAULT_COLUMNS) + CONTROL_CHARS),
    );
    this.#live = true;
  }

  #clear(): void {
    if (this.#live) this.#out.write("\r\x1b[2K");
    this.#live = false;
  }

  #clock(): string {
    return `${((performance.now() - this.#started) / 1_000).toFixed(1).padStart(6)} s`;
  }
}

const LIVE_MS = 100;
const PLAIN_MS = 5_000;
/** For a terminal that does not say how wide it is. */
const DEFAULT_COLUMNS = 80;
/** What `\r\x1b[2K` adds to the length of a line without showing. */
const CONTROL_CHARS = 4;
