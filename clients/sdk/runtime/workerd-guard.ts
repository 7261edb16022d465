import { execFileSync } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LIMITS } from "../../../kernel/limits.ts";
import { packageRoot } from "./package-root.ts";

/**
 * V8 as it must run where an isolate has 128 MB: locally workerd sets no limit, and V8 would let garbage grow to hundreds of
 * megabytes before it looks. Nothing is limited here, garbage is only collected earlier. See
 * docs/decisions/0009-ingest-memory.md.
 */
const V8_FLAGS = [
  "--min-semi-space-size=1",
  "--max-semi-space-size=1",
  "--initial-old-space-size=4",
  "--heap-growing-percent=20",
];

/**
 * Sees to it that workerd lives exactly as long as its runtime: it ends an orphan of an earlier one, holds the lifeline
 * that `workerd-guard.sh` watches, and drains workerd at the end. One guard a state folder, under its lock.
 */
export class WorkerdGuard {
  readonly #pidFile: string;
  readonly #lifeline: string;
  #lifelineFd: number | undefined;

  constructor(stateDir: string) {
    this.#pidFile = join(stateDir, "workerd-pid");
    this.#lifeline = join(stateDir, "lifeline");
  }

  /** Call it before Miniflare starts. Afterwards no workerd runs on this state folder. */
  async open(): Promise<void> {
    await this.#endOrphan();
    rmSync(this.#lifeline, { force: true });
    execFileSync("mkfifo", ["-m", "600", this.#lifeline]);
    // Read and write: opening a FIFO only for writing waits for a reader. Node's descriptors do not pass to children.
    this.#lifelineFd = openSync(this.#lifeline, "r+");
    process.env["MINIFLARE_WORKERD_PATH"] = join(packageRoot(), "dist/workerd-guard.sh");
    process.env["AOS_WORKERD_BIN"] = workerdBinary();
    process.env["MINIFLARE_WORKERD_V8_FLAGS"] ??= V8_FLAGS.join(" ");
  }

  /** Between two workerd: the watcher of the first leaves. */
  async reopen(): Promise<void> {
    this.close();
    await this.open();
  }

  /** What workerd's environment must hold; passed for each Miniflare, because one process may run several. */
  get environment(): Record<string, string> {
    return { AOS_WORKERD_PID_FILE: this.#pidFile, AOS_LIFELINE: this.#lifeline };
  }

  /** The running workerd, or undefined. */
  get pid(): number | undefined {
    const { workerd } = readPids(this.#pidFile);
    return workerd !== undefined && isGuarded(workerd, this.#pidFile) ? workerd : undefined;
  }

  /** When the running workerd was started, in milliseconds since the epoch: no earlier one lived any more by then. */
  get beganAt(): number {
    return statSync(this.#pidFile).mtimeMs;
  }

  /** SIGTERM: workerd stops listening, answers what is in flight and exits. Waits at most `drainMs`. */
  async drain(): Promise<void> {
    const pid = this.pid;
    if (pid === undefined) return;
    kill(pid, "SIGTERM");
    await this.#gone(pid, LIMITS.runtimeDrainMs);
  }

  /** Ends what is left: first the watcher, which would end workerd's pid, whosever that is by then. */
  close(): void {
    const { watcher } = readPids(this.#pidFile);
    if (watcher !== undefined && isGuarded(watcher, this.#pidFile)) kill(watcher, "SIGKILL");
    const pid = this.pid;
    if (pid !== undefined) kill(pid, "SIGKILL");
    rmSync(this.#pidFile, { force: true });
    if (this.#lifelineFd !== undefined) closeSync(this.#lifelineFd);
    this.#lifelineFd = undefined;
    rmSync(this.#lifeline, { force: true });
  }

  async #endOrphan(): Promise<void> {
    const orphan = this.pid;
    if (orphan !== undefined) {
      kill(orphan, "SIGKILL");
      await this.#gone(orphan, LIMITS.runtimeDrainMs);
    }
    rmSync(this.#pidFile, { force: true });
  }

  async #gone(pid: number, deadlineMs: number): Promise<void> {
    const end = Date.now() + deadlineMs;
    while (isGuarded(pid, this.#pidFile) && Date.now() < end) await sleep(LIMITS.runtimePollMs);
  }
}

function workerdBinary(): string {
  const miniflare = createRequire(import.meta.resolve("miniflare"));
  return (miniflare("workerd") as { default: string }).default;
}

function readPids(file: string): { workerd?: number; watcher?: number } {
  try {
    const [workerd, watcher] = readFileSync(file, "utf8").split(" ").map(Number).filter(Boolean);
    return { ...(workerd && { workerd }), ...(watcher && { watcher }) };
  } catch {
    return {};
  }
}

/** Whether `pid` was started for this pid file: pids are used again, so the number alone says nothing. */
function isGuarded(pid: number, pidFile: string): boolean {
  try {
    if (process.platform !== "linux") return commandOf(pid).includes("workerd");
    return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`AOS_WORKERD_PID_FILE=${pidFile}\0`);
  } catch {
    return false;
  }
}

function commandOf(pid: number): string {
  return execFileSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" });
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended between the look and the signal, which is what was wanted.
  }
}
