import { LIMITS } from "../../kernel/limits.ts";
import type { Env } from "../env.ts";
import { CallShift } from "./call-shift.ts";
import { type Delivery, deliveryOf, putBack } from "./delivery.ts";
import { groupsOf } from "./groups.ts";

/**
 * The consumer of the calls queue: makes the model calls of the batch lane, so that no object is awake, and billed, while a
 * vendor thinks. Each message is answered for on its own, and only when its outcome stands with its agent; what was not
 * answered for when this isolate dies comes again.
 *
 * A message that this version does not know is never acknowledged, because that would lose it, but put back with growing
 * delays; after the queue's `max_retries` it goes to the dead-letter queue.
 */
export async function consumeCalls(batch: MessageBatch, env: Env): Promise<void> {
  const shift = new CallShift(env);
  const deliveries: Delivery[] = [];
  for (const message of batch.messages) {
    const delivery = deliveryOf(message);
    if (delivery === null) putBack(message, "queue.unknown-message", { queue: batch.queue });
    else deliveries.push(delivery);
  }
  const line = groupsOf(deliveries).values();
  await Promise.all(Array.from({ length: LIMITS.consumerCalls }, () => work(line, shift)));
}

/** One of several that take from the same line. */
async function work(line: Iterator<Delivery[]>, shift: CallShift): Promise<void> {
  for (let next = line.next(); !next.done; next = line.next()) await shift.make(next.value);
}
