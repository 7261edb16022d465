import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const START_MS = 20_000;
const STOP_MS = 2_000;

/** A scripted server as a process of its own, which prints `ready http://127.0.0.1:PORT` when it accepts requests. Node only. */
export class ServerProcess {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** Runs the module `main` and waits for its address. */
  static async start(main: string, args: readonly string[]): Promise<ServerProcess> {
    const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout });
    const [line] = (await once(lines, "line", { signal: AbortSignal.timeout(START_MS) })) as [string];
    return new ServerProcess(child, line.replace("ready ", ""));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Its journal, an entry a line. */
  async journal<Entry>(): Promise<Entry[]> {
    const text = await (await fetch(`${this.url}/_journal`)).text();
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Entry);
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
