import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ToolEntry } from "./order.ts";

/** Starts the scripted tool server as a process of its own, and reads what it did. Node only. */

const MAIN = join(import.meta.dirname, "main.ts");
const START_MS = 20_000;
const STOP_MS = 2_000;

export class ToolServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** Resolves when it accepts requests. `port` 0 = any; `journal` = the file of its journal; `keys` = it honours them. */
  static async start(options: { port?: number; journal?: string; keys?: boolean } = {}): Promise<ToolServer> {
    const { port = 0, journal, keys = false } = options;
    const args = [MAIN, "--port", String(port), ...(keys ? ["--keys"] : [])];
    if (journal !== undefined) args.push("--journal", journal);
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout });
    const [line] = (await once(lines, "line", { signal: AbortSignal.timeout(START_MS) })) as [string];
    return new ToolServer(child, line.replace("ready ", ""));
  }

  /** `127.0.0.1:PORT`: what `AOS_EGRESS_ALLOW`, `AOS_KEYED_HOSTS` and grants take. */
  get host(): string {
    return new URL(this.url).host;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** All lines, or those of one path. */
  async journal(path?: string): Promise<ToolEntry[]> {
    const text = await (await fetch(`${this.url}/_journal`)).text();
    const entries = text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as ToolEntry);
    return path === undefined ? entries : entries.filter((entry) => entry.path === path);
  }

  /** How often it acted on `path`. */
  async acts(path: string): Promise<number> {
    return (await this.journal(path)).filter(({ type }) => type === "act").length;
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
