import { Miniflare, type V4WorkerOptions } from "miniflare";
import { LIMITS } from "../../../kernel/limits.ts";
import { adminKeyFile, ensureAdminKey } from "./admin-key.ts";
import { BootNotice } from "./boot-notice.ts";
import { CronTicker } from "./cron-ticker.ts";
import { migrateD1 } from "./d1-migrations.ts";
import { miniflareOptions, type RuntimeFacts, RuntimeLog } from "./miniflare-options.ts";
import { PUBLIC_NETWORK } from "./public-network.ts";
import { RuntimeError } from "./runtime-error.ts";
import { removeRuntimeUrl, writeRuntimeUrl } from "./runtime-url.ts";
import { ensureSecretsKey } from "./secrets-key.ts";
import type { Settings } from "./settings.ts";
import { StateLock } from "./state-lock.ts";
import { readWorkerBundle, type WorkerBundle } from "./worker-bundle.ts";
import { WorkerdGuard } from "./workerd-guard.ts";

/**
 * The whole kernel in this process and one workerd: the built Worker on Miniflare, with all state in one folder.
 *
 * The Worker's named entrypoint listens on a socket of its own: no entry Worker, no assets router and no `wrangler dev`
 * proxy stand in front, which makes it several times faster. Rule for callers: whoever starts it stops it.
 */

const ENTRYPOINT = "Direct";
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export class LocalRuntime {
  /** Where the API answers, e.g. `http://127.0.0.1:8787`. */
  readonly url: string;
  /** The bootstrap key. */
  readonly adminKey: string;
  /** Where the bootstrap key is kept, or null when the environment gave it. */
  readonly adminKeyFile: string | null;
  readonly #close: () => Promise<void>;
  #closing: Promise<void> | undefined;

  private constructor(url: string, adminKey: string, keyFile: string | null, close: () => Promise<void>) {
    this.url = url;
    this.adminKey = adminKey;
    this.adminKeyFile = keyFile;
    this.#close = close;
  }

  /**
   * Resolves when the API accepts requests. With `verbose` every request is logged on stderr, else only warnings and errors.
   * Throws a `RuntimeError` for what the operator can change.
   */
  static async start(settings: Settings, { verbose = false } = {}): Promise<LocalRuntime> {
    const bundle = readWorkerBundle();
    const lock = StateLock.acquire(settings.stateDir);
    const boot: Boot = {
      settings,
      bundle,
      lock,
      guard: new WorkerdGuard(settings.stateDir),
      log: new RuntimeLog({ verbose }),
      notice: new BootNotice(),
    };
    try {
      return await LocalRuntime.#boot(boot);
    } catch (error) {
      boot.guard.close();
      lock.release();
      throw startError(error, settings.port);
    }
  }

  static async #boot(boot: Boot): Promise<LocalRuntime> {
    const { settings, bundle } = boot;
    const adminKey = settings.adminKey ?? ensureAdminKey(settings.stateDir);
    const secretsKey = settings.bindings["AOS_SECRETS_KEY"] ?? ensureSecretsKey(settings.stateDir);
    const own = { AOS_ADMIN_KEY: adminKey, AOS_SECRETS_KEY: secretsKey };
    const miniflare = await serve(boot, { ...settings.bindings, ...own });
    const url = (await miniflare.unsafeGetDirectURL(bundle.options.name, ENTRYPOINT)).origin;
    writeRuntimeUrl(settings.stateDir, url);
    const ticker = new CronTicker(miniflare, bundle.options);
    const keyFile = settings.adminKey ? null : adminKeyFile(settings.stateDir);
    return new LocalRuntime(url, adminKey, keyFile, () => close(boot, miniflare, ticker));
  }

  /** Drains workerd, ends it, and gives the state folder back. Any further call waits for the first. */
  stop(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }
}

/** What a runtime holds while it starts and runs. */
interface Boot {
  settings: Settings;
  bundle: WorkerBundle;
  lock: StateLock;
  guard: WorkerdGuard;
  log: RuntimeLog;
  notice: BootNotice;
}

/** The Worker on Miniflare, once it accepts requests; the database is migrated before. */
async function serve(boot: Boot, bindings: Record<string, string>): Promise<Miniflare> {
  const { settings, bundle, guard, log, notice } = boot;
  await guard.open();
  const facts: RuntimeFacts = { stateDir: settings.stateDir, workerdEnvironment: guard.environment, log };
  return await withoutSignalHandlers(async () => {
    await migrateD1(facts, bundle, guard);
    // Nobody waits for it: the API answers before the last agent has heard.
    const began = () => void notice.tell(miniflare, guard.beganAt);
    const miniflare = new Miniflare({
      ...miniflareOptions(facts, [worker(bundle, settings.port, bindings)]),
      unsafeHandleRuntimeRestart: began,
    });
    await withDeadline(miniflare.ready).catch(async (error: unknown) => {
      log.silence();
      await miniflare.dispose().catch(() => {});
      throw error;
    });
    began();
    return miniflare;
  });
}

async function close(
  { settings, lock, guard, log, notice }: Boot,
  miniflare: Miniflare,
  ticker: CronTicker,
): Promise<void> {
  ticker.stop();
  notice.stop();
  removeRuntimeUrl(settings.stateDir);
  log.silence();
  await guard.drain();
  await miniflare.dispose();
  guard.close();
  lock.release();
}

function worker(bundle: WorkerBundle, port: number, bindings: Record<string, string>): V4WorkerOptions {
  return {
    ...bundle.options,
    bindings: { ...bundle.options.bindings, ...bindings },
    serviceBindings: { PUBLIC_NETWORK },
    ...(bindings["AOS_SANDBOX"] === "loader" ? { workerLoaders: { LOADER: {} } } : {}),
    modulesRoot: bundle.modulesRoot,
    modules: bundle.modules,
    unsafeDirectSockets: [{ host: "127.0.0.1", port, entrypoint: ENTRYPOINT }],
  } as V4WorkerOptions;
}

/** Miniflare's own handlers kill workerd at once and exit: they go, and the caller's stay. */
async function withoutSignalHandlers<T>(work: () => Promise<T>): Promise<T> {
  const before = SIGNALS.map((signal) => new Set(process.listeners(signal)));
  try {
    return await work();
  } finally {
    SIGNALS.forEach((signal, index) => {
      const added = process.listeners(signal).filter((listener) => !before[index]?.has(listener));
      for (const listener of added) process.removeListener(signal, listener);
    });
  }
}

async function withDeadline(ready: Promise<unknown>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("workerd is not ready in time")), LIMITS.runtimeStartMs);
  await Promise.race([ready, promise]).finally(() => clearTimeout(timer));
}

function startError(error: unknown, port: number): unknown {
  if (error instanceof RuntimeError) return error;
  const { code, message } = error as { code?: string; message?: string };
  if (code === "ERR_ADDRESS_IN_USE") {
    const line = `port ${port} of 127.0.0.1 is in use; stop what listens there, or set AOS_PORT to another port`;
    return new RuntimeError("port_in_use", line, { cause: error });
  }
  return new RuntimeError("start_failed", `workerd did not start: ${message ?? error}`, { cause: error });
}
