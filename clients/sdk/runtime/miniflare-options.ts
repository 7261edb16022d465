import { convertV4MiniflareOptions, Log, LogLevel, type MiniflareOptions, type V4WorkerOptions } from "miniflare";

/** What every Miniflare of one runtime shares: where state stands, how workerd is guarded, and silence. */

export interface RuntimeFacts {
  stateDir: string;
  /** Environment of the workerd process. */
  workerdEnvironment: Record<string, string>;
  log: RuntimeLog;
}

export function miniflareOptions(facts: RuntimeFacts, workers: V4WorkerOptions[]): MiniflareOptions {
  return convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    telemetry: { enabled: false },
    logRequests: false,
    unsafeTriggerHandlers: true,
    log: facts.log,
    resourcePersistencePath: facts.stateDir,
    unsafeRuntimeEnv: facts.workerdEnvironment,
    handleStructuredLogs: (line) => facts.log.worker(line),
    workers,
  });
}

/**
 * The logs of Miniflare and of the Worker, on stderr: warnings and errors, with `verbose` also what the Worker says of each
 * request. Silent once the runtime stops, because workerd's end is no news then.
 */
export class RuntimeLog extends Log {
  readonly #verbose: boolean;
  #silent = false;

  constructor({ verbose }: { verbose: boolean }) {
    super(LogLevel.WARN);
    this.#verbose = verbose;
  }

  silence(): void {
    this.#silent = true;
  }

  /** A line of the Worker. workerd marks what interests nobody but its makers as `NOSENTRY`. */
  worker({ level, message }: { level: string; message: string }): void {
    const matters = this.#verbose || level === "warn" || level === "error";
    if (matters && !message.startsWith("NOSENTRY")) process.stderr.write(`[${level}] ${message}\n`);
  }

  override log(message: string): void {
    if (!this.#silent) process.stderr.write(`${message}\n`);
  }
}
