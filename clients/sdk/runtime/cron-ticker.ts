import { Cron } from "croner";
import type { Miniflare } from "miniflare";
import { trigger } from "./trigger.ts";
import type { WorkerOptions } from "./worker-bundle.ts";

/** Miniflare never fires a cron trigger by itself: this does, in UTC like production. */
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
  try {
    await trigger(miniflare, cron, Date.now());
  } catch (error) {
    process.stderr.write(`cron ${cron}: ${error instanceof Error ? error.message : error}\n`);
  }
}
