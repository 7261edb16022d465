import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cleanEnvironment } from "../e2e/runtime/kernel-process.ts";

/** The kernel under fire: `aos up` on one state folder and one port, killed and started again and again. */

const ROOT = resolve(import.meta.dirname, "../..");
const READY_MS = 60_000;
const END_MS = 20_000;
const POLL_MS = 10;

export class Victim {
  readonly state: string;
  readonly url: string;
  readonly #env: Record<string, string>;
  readonly #aos: string;
  #child: ChildProcess | null = null;
  /** What it wrote on stderr, all lives together. */
  stderr = "";

  private constructor(state: string, port: number, env: Record<string, string>, root: string) {
    this.state = state;
    this.#aos = join(root, "dist/cli/aos.js");
    this.url = `http://127.0.0.1:${port}`;
    this.#env = { ...env, AOS_PORT: String(port), AOS_STATE: state };
  }

  /** `root` = the package whose build runs. */
  static async on(state: string, env: Record<string, string>, root = ROOT): Promise<Victim> {
    return new Victim(state, await freePort(), env, root);
  }

  get adminKey(): string {
    return readFileSync(join(this.state, "admin-key"), "utf8").trim();
  }

  /** Starts it without waiting. */
  launch(): void {
    const child = spawn(process.execPath, [this.#aos, "up"], {
      env: cleanEnvironment(this.#env),
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString("utf8")));
    child.stdout?.resume();
    this.#child = child;
  }

  /** Waits until it says that it is ready. */
  async ready(): Promise<void> {
    const child = this.#child;
    if (child === null) throw new Error("it was not launched");
    let stdout = "";
    const said = new Promise<void>((done) => {
      child.stdout?.on("data", (chunk: Buffer) => {
        stdout += chunk.toString("utf8");
        if (/^ready /m.test(stdout)) done();
      });
    });
    const ended = once(child, "exit").then(() =>
      Promise.reject(new Error(`the kernel ended at its start: ${this.stderr.slice(-500)}`)),
    );
    const late = sleep(READY_MS, null, { ref: false }).then(() =>
      Promise.reject(new Error(`not ready within ${READY_MS} ms`)),
    );
    await Promise.race([said, ended, late]);
  }

  async start(): Promise<void> {
    this.launch();
    await this.ready();
  }

  async killParent(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  /** Signals workerd; false when there is none. */
  signalWorkerd(signal: NodeJS.Signals): boolean {
    const pid = this.#workerdPid();
    if (pid === null) return false;
    try {
      process.kill(pid, signal);
      return true;
    } catch {
      return false;
    }
  }

  /** Waits until the API answers; false when it does not within `ms`. */
  async answers(ms: number): Promise<boolean> {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(POLL_MS)) {
      const reply = await fetch(`${this.url}/health`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
      if (reply?.ok) return true;
    }
    return false;
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    if ((await Promise.race([exited, sleep(END_MS, null, { ref: false })])) === null) await this.killParent();
  }

  /** The pid file names workerd and its watcher. It may name a workerd that is gone, and pids are used again: only one of this state folder counts. */
  #workerdPid(): number | null {
    const file = join(this.state, "workerd-pid");
    if (!existsSync(file)) return null;
    try {
      const pid = Number.parseInt(readFileSync(file, "utf8"), 10);
      return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`AOS_WORKERD_PID_FILE=${file}\0`) ? pid : null;
    } catch {
      return null;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}
