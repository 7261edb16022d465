/**
 * The consumer of the calls queue. This version of the kernel sends nothing to it: model calls go out from the agents'
 * objects. So whatever arrives was written by a newer version (a rollback) or by hand. It is never acknowledged, because
 * that would lose it, but put back with growing delays; after the queue's `max_retries` it stands in the dead-letter queue, where
 * people find it. That queue has no consumer on purpose: reading it would empty it.
 */

const RETRY_BASE_SECONDS = 2;
const RETRY_MAX_SECONDS = 300;

export function refuseCalls(batch: MessageBatch): void {
  for (const message of batch.messages) {
    const { id, attempts } = message;
    console.error(JSON.stringify({ level: "error", event: "queue.unknown-message", queue: batch.queue, id, attempts }));
    message.retry({ delaySeconds: Math.min(RETRY_BASE_SECONDS ** attempts, RETRY_MAX_SECONDS) });
  }
}
