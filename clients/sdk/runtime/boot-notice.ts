import { setTimeout as sleep } from "node:timers/promises";
import type { Miniflare } from "miniflare";
import { BOOT } from "../../../kernel/boot.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { trigger } from "./trigger.ts";

/**
 * Tells the Worker that workerd began anew: at the runtime's start, and when Miniflare has replaced a workerd that died. See
 * workers/cron/boot.ts for what it does about it. Tried a few times, because Miniflare's connections to the workerd that died
 * break only when they are used; a notice that nobody hears costs time, not work.
 */
export class BootNotice {
  #stopped = false;

  /** `beganAt` is in milliseconds since the epoch. Resolves when it was heard, given up, or `stop` was called. */
  async tell(miniflare: Miniflare, beganAt: number): Promise<void> {
    for (let tries = 1; !this.#stopped; tries++) {
      try {
        return await trigger(miniflare, BOOT, beganAt);
      } catch (error) {
        if (tries === LIMITS.bootNoticeTries) return this.#failed(error);
        await sleep(LIMITS.clientBackoffMs * tries);
      }
    }
  }

  /** The runtime ends: nobody is to be told any more, and a notice under way may break. */
  stop(): void {
    this.#stopped = true;
  }

  #failed(error: unknown): void {
    if (!this.#stopped) process.stderr.write(`boot notice: ${error instanceof Error ? error.message : error}\n`);
  }
}
