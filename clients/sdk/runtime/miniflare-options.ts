import { convertV4MiniflareOptions, Log, LogLevel, type MiniflareOptions, type V4WorkerOptions } from "miniflare";

/** What every Miniflare of one runtime shares: where state stands, how workerd is guarded, and silence. */

export interface RuntimeFacts {
  stateDir: string;
  /** Environment of the workerd process. */
  workerdEnvironment: Record<string, string>;
  log: Log;
}

export function miniflareOptions(facts: RuntimeFacts, workers: V4WorkerOptions[]): MiniflareOptions {
  return convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    telemetry: { enabled: false },
    logRequests: false,
    log: facts.log,
    resourcePersistencePath: facts.stateDir,
    unsafeRuntimeEnv: facts.workerdEnvironment,
    handleStructuredLogs: printLog,
    workers,
  });
}

/** What the Worker logs, on stderr. workerd marks what is of no interest to anybody but its makers as `NOSENTRY`. */
function printLog({ level, message }: { level: string; message: string }): void {
  if (!message.startsWith("NOSENTRY")) process.stderr.write(`[${level}] ${message}\n`);
}

/** Miniflare's warnings on stderr, until the runtime stops: then workerd's end is no news. */
export class RuntimeLog extends Log {
  #silent = false;

  constructor() {
    super(LogLevel.WARN);
  }

  silence(): void {
    this.#silent = true;
  }

  override log(message: string): void {
    if (!this.#silent) process.stderr.write(`${message}\n`);
  }
}
