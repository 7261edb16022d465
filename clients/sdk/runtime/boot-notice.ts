import type { Miniflare } from "miniflare";
import { BOOT } from "../../../kernel/boot.ts";

/**
 * Tells the Worker that workerd began anew at `beganAt` (milliseconds since the epoch): at the runtime's start, and when
 * Miniflare has replaced a workerd that died. See workers/cron/boot.ts for what it does about it.
 */
export async function tellBoot(miniflare: Miniflare, worker: string, beganAt: number): Promise<void> {
  try {
    const fetcher = await miniflare.getWorker(worker);
    await fetcher.scheduled({ cron: BOOT, scheduledTime: new Date(beganAt) });
  } catch (error) {
    process.stderr.write(`boot notice: ${error instanceof Error ? error.message : error}\n`);
  }
}
