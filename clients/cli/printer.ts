import type { Command } from "commander";

/** What a command prints: with `--json` what the API said, one value a line; without, text for people. */
export class Printer {
  readonly #json: boolean;

  constructor(command: Command) {
    this.#json = command.optsWithGlobals<{ json?: boolean }>().json === true;
  }

  get json(): boolean {
    return this.#json;
  }

  /** `people` is called only when text is wanted. */
  print(said: unknown, people: () => string): void {
    const text = this.#json ? JSON.stringify(said) : people();
    if (text !== "") process.stdout.write(`${text}\n`);
  }

  /** For people only, and never in the way of a pipe. */
  note(text: string): void {
    if (!this.#json) process.stderr.write(`${text}\n`);
  }
}
