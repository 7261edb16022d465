import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { BookEntry } from "./books.ts";
import type { JournalEntry, Script } from "./script.ts";

/** Starts the scripted model server as a process of its own, tells it what to answer, and reads what it saw. Node only. */

const MAIN = join(import.meta.dirname, "main.ts");
const START_MS = 20_000;
const STOP_MS = 2_000;

export class ModelServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /**
   * Resolves when it accepts requests. `port` 0 = any; `journal` = the file of its journal; `answers` = a module that
   * exports `makeAnswers()`, instead of scripts; `unsynced` = thousands of calls need not wait for the disk.
   */
  static async start(
    options: { port?: number; journal?: string; answers?: string; unsynced?: boolean } = {},
  ): Promise<ModelServer> {
    const { port = 0, journal, answers, unsynced = false } = options;
    const args = [MAIN, "--port", String(port)];
    if (journal !== undefined) args.push("--journal", journal);
    if (unsynced) args.push("--unsynced");
    if (answers !== undefined) args.push("--answers", answers);
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout });
    const [line] = (await once(lines, "line", { signal: AbortSignal.timeout(START_MS) })) as [string];
    return new ModelServer(child, line.replace("ready ", ""));
  }

  /** What `OPENAI_BASE_URL` takes. */
  get baseUrl(): string {
    return `${this.url}/v1`;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Replaces the script. */
  async script(script: Script): Promise<void> {
    await fetch(`${this.url}/_script`, { method: "POST", body: JSON.stringify(script) });
  }

  async journal(): Promise<JournalEntry[]> {
    const text = await (await fetch(`${this.url}/_journal`)).text();
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as JournalEntry);
  }

  /** What the vendors bill, by their own journal. */
  async books(): Promise<BookEntry[]> {
    return (await (await fetch(`${this.url}/_books`)).json()) as BookEntry[];
  }

  /** Ends it, by force when it does not end by itself. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const force = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
    await exited;
    clearTimeout(force);
  }
}
