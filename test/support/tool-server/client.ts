import { join } from "node:path";
import { ServerProcess } from "../server-process.ts";
import type { ToolEntry } from "./order.ts";

/** Starts the scripted tool server as a process of its own, and reads what it did. Node only. */

const MAIN = join(import.meta.dirname, "main.ts");

export class ToolServer {
  readonly #process: ServerProcess;

  private constructor(process: ServerProcess) {
    this.#process = process;
  }

  /** Resolves when it accepts requests. `port` 0 = any; `journal` = the file of its journal; `keys` = it honours them. */
  static async start(options: { port?: number; journal?: string; keys?: boolean } = {}): Promise<ToolServer> {
    const { port = 0, journal, keys = false } = options;
    const args = ["--port", String(port), ...(keys ? ["--keys"] : [])];
    if (journal !== undefined) args.push("--journal", journal);
    return new ToolServer(await ServerProcess.start(MAIN, args));
  }

  /** `http://127.0.0.1:PORT`. */
  get url(): string {
    return this.#process.url;
  }

  /** `127.0.0.1:PORT`: what `AOS_EGRESS_ALLOW`, `AOS_KEYED_HOSTS` and grants take. */
  get host(): string {
    return new URL(this.url).host;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** All lines, or those of one path. */
  async journal(path?: string): Promise<ToolEntry[]> {
    const entries = await this.#process.journal<ToolEntry>();
    return path === undefined ? entries : entries.filter((entry) => entry.path === path);
  }

  /** How often it acted on `path`. */
  async acts(path: string): Promise<number> {
    return (await this.journal(path)).filter(({ type }) => type === "act").length;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
