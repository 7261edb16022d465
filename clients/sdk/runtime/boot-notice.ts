import { setTimeout as sleep } from "node:timers/promises";
import type { Miniflare } from "miniflare";
import { BOOT } from "../../../kernel/boot.ts";
import { LIMITS } from "../../../kernel/limits.ts";

/**
 * Tells the Worker that workerd began anew at `beganAt` (milliseconds since the epoch): at the runtime's start, and when
 * Miniflare has replaced a workerd that died. See workers/cron/boot.ts for what it does about it. Tried a few times, because
 * Miniflare's connections to the workerd that died break only when they are used.
 */
export async function tellBoot(miniflare: Miniflare, worker: string, beganAt: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      const fetcher = await miniflare.getWorker(worker);
      await fetcher.scheduled({ cron: BOOT, scheduledTime: new Date(beganAt) });
      return;
    } catch (error) {
      if (tries === LIMITS.bootNoticeTries) return tellFailure(error);
      await sleep(LIMITS.clientBackoffMs * tries);
    }
  }
}

function tellFailure(error: unknown): void {
  process.stderr.write(`boot notice: ${error instanceof Error ? error.message : error}\n`);
}
