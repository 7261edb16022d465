import type { Miniflare } from "miniflare";

/** Where Miniflare's own entry takes triggers, with `unsafeTriggerHandlers`. Nobody listens under this name. */
const SCHEDULED = "http://trigger.local/cdn-cgi/local/scheduled";

/**
 * Fires a scheduled event of the Worker, at `time` in milliseconds since the epoch; throws what the Worker answered when it
 * failed.
 *
 * By HTTP, and not by `getWorker().scheduled()`: that reads the stub's properties with this thread stopped until workerd
 * answers, while workerd, whose logs this thread reads, may be waiting for room in the pipe. Then both wait for ever.
 */
export async function trigger(miniflare: Miniflare, cron: string, time: number): Promise<void> {
  const url = new URL(SCHEDULED);
  url.searchParams.set("cron", cron);
  url.searchParams.set("time", String(time));
  const response = await miniflare.dispatchFetch(url.href);
  const outcome = await response.text();
  if (!response.ok) throw new Error(outcome);
}
