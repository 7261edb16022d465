import { Cron } from "croner";
import type { Miniflare } from "miniflare";
import type { WorkerOptions } from "./worker-bundle.ts";

/** Where Miniflare's own entry takes triggers, with `unsafeTriggerHandlers`. Nobody listens under this name. */
const SCHEDULED = "http://trigger.local/cdn-cgi/local/scheduled";

/**
 * Miniflare never fires a cron trigger by itself: this does, in UTC like production.
 *
 * By HTTP, and not by `getWorker().scheduled()`: that reads the stub's properties with this thread stopped until workerd
 * answers, while workerd, whose logs this thread reads, may be waiting for room in the pipe. Then both wait for ever.
 */
export class CronTicker {
  readonly #jobs: Cron[];

  /** Starts ticking. A tick that is still running when the next is due swallows it. */
  constructor(miniflare: Miniflare, options: WorkerOptions) {
    this.#jobs = (options.cronTriggers ?? []).map(
      (cron) => new Cron(cron, { timezone: "UTC", protect: true }, () => tick(miniflare, cron)),
    );
  }

  stop(): void {
    for (const job of this.#jobs) job.stop();
  }
}

async function tick(miniflare: Miniflare, cron: string): Promise<void> {
  const trigger = new URL(SCHEDULED);
  trigger.searchParams.set("cron", cron);
  trigger.searchParams.set("time", String(Date.now()));
  try {
    const response = await miniflare.dispatchFetch(trigger.href);
    const outcome = await response.text();
    if (!response.ok) process.stderr.write(`cron ${cron}: ${outcome}\n`);
  } catch (error) {
    process.stderr.write(`cron ${cron}: ${error instanceof Error ? error.message : error}\n`);
  }
}
