import { join } from "node:path";
import { ServerProcess } from "../server-process.ts";
import type { BookEntry } from "./books.ts";
import type { JournalEntry, Script } from "./script.ts";

/** Starts the scripted model server as a process of its own, tells it what to answer, and reads what it saw. Node only. */

const MAIN = join(import.meta.dirname, "main.ts");

export class ModelServer {
  readonly #process: ServerProcess;

  private constructor(process: ServerProcess) {
    this.#process = process;
  }

  /**
   * Resolves when it accepts requests. `port` 0 = any; `journal` = the file of its journal; `answers` = a module that
   * exports `makeAnswers()`, instead of scripts; `unsynced` = thousands of calls need not wait for the disk.
   */
  static async start(
    options: { port?: number; journal?: string; answers?: string; unsynced?: boolean } = {},
  ): Promise<ModelServer> {
    const { port = 0, journal, answers, unsynced = false } = options;
    const args = ["--port", String(port)];
    if (journal !== undefined) args.push("--journal", journal);
    if (unsynced) args.push("--unsynced");
    if (answers !== undefined) args.push("--answers", answers);
    return new ModelServer(await ServerProcess.start(MAIN, args));
  }

  /** `http://127.0.0.1:PORT`. */
  get url(): string {
    return this.#process.url;
  }

  /** What `OPENAI_BASE_URL` takes. */
  get baseUrl(): string {
    return `${this.url}/v1`;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Replaces the script. */
  async script(script: Script): Promise<void> {
    await fetch(`${this.url}/_script`, { method: "POST", body: JSON.stringify(script) });
  }

  async journal(): Promise<JournalEntry[]> {
    return await this.#process.journal();
  }

  /** What the vendors bill, by their own journal. */
  async books(): Promise<BookEntry[]> {
    return (await (await fetch(`${this.url}/_books`)).json()) as BookEntry[];
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
