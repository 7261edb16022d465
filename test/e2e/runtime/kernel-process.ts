import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A kernel in a process of its own, as `npm start` runs it: `aos up` on any free port, with a state folder of its own. */

const ROOT = resolve(import.meta.dirname, "../../..");
const AOS = resolve(ROOT, "dist/cli/aos.js");
const READY_MS = 90_000;

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** An environment without the settings of whoever runs the tests. */
export function cleanEnvironment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(AOS_|OPENAI_|DEEPSEEK_|KIMI_|OLLAMA_)/.test(name),
  );
  return { ...Object.fromEntries(inherited), ...extra };
}

/** A fresh folder for state. Removed by the caller. */
export function stateFolder(): string {
  return mkdtempSync(join(tmpdir(), "aos-test-"));
}

/** Runs `aos` to its end. */
export async function aos(line: readonly string[], env: Record<string, string> = {}, cwd = tmpdir()): Promise<Ended> {
  return ended(spawn(process.execPath, [AOS, ...line], { env: cleanEnvironment(env), cwd }));
}

async function ended(child: ChildProcess): Promise<Ended> {
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => (output.stdout += chunk));
  child.stderr?.on("data", (chunk) => (output.stderr += chunk));
  return new Promise((done) => child.once("close", (code) => done({ code, ...output })));
}

export class KernelProcess {
  readonly state: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;
  url = "";

  private constructor(state: string, child: ChildProcess) {
    this.state = state;
    this.#child = child;
    this.#ended = ended(child);
  }

  /** `by` = `npm`, or the `aos.js` to run; `options` are those of `aos up`. */
  static async start(
    state = stateFolder(),
    env: Record<string, string> = {},
    by = AOS,
    options: readonly string[] = [],
  ): Promise<KernelProcess> {
    const settings = cleanEnvironment({ AOS_PORT: "0", AOS_STATE: state, ...env });
    const child =
      by === "npm"
        ? spawn("npm", ["start"], { env: settings, cwd: ROOT })
        : spawn(process.execPath, [by, "up", ...options], { env: settings, cwd: tmpdir() });
    const kernel = new KernelProcess(state, child);
    await kernel.#ready();
    return kernel;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get workerdPid(): number {
    return Number(readFileSync(join(this.state, "workerd-pid"), "utf8").split(" ")[0]);
  }

  get adminKey(): string {
    return readFileSync(join(this.state, "admin-key"), "utf8").trim();
  }

  /** Signals the runtime and answers how it ended. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<Ended> {
    this.#child.kill(signal);
    return this.#ended;
  }

  /** Ends whatever is left and removes the state. */
  async dispose(): Promise<void> {
    await this.end("SIGKILL");
    rmSync(this.state, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  async #ready(): Promise<void> {
    let stdout = "";
    const ready = new Promise<string>((resolve) => {
      this.#child.stdout?.on("data", (chunk) => {
        stdout += chunk;
        const url = /^ready (\S+)$/m.exec(stdout)?.[1];
        if (url) resolve(url);
      });
    });
    const failed = this.#ended.then(({ code, stderr }) =>
      Promise.reject(new Error(`aos up ended with ${code}: ${stderr}`)),
    );
    this.url = await Promise.race([ready, failed, sleep(READY_MS).then(() => Promise.reject(new Error("not ready")))]);
  }
}

/** Processes that belong to the kernel of this state folder, by their environment. Linux only. */
export function processesOf(state: string): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => environmentOf(pid).includes(`AOS_STATE=${state}\0`));
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}

/** Waits until `holds`, at most `ms`; answers whether it came to hold. */
export async function eventually(holds: () => boolean, ms: number): Promise<boolean> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(20)) if (holds()) return true;
  return holds();
}

/** Whether a process runs; a zombie does not. Linux only. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
