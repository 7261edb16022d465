import type { Env } from "../../../workers/env.ts";
import kernel from "../../../workers/index.ts";
import { doubled } from "./doubled.ts";

/**
 * The Worker of the kernel behind a queue that delivers half of its messages twice, as a queue that delivers at least once
 * may: beside the first delivery, after it, and after it with a higher count of attempts. Only tests build it.
 */

export * from "../../../workers/index.ts";

const DEAD = "-dead";

export default {
  ...kernel,
  queue: (batch, env) => (batch.queue.endsWith(DEAD) ? kernel.queue(batch, env) : deliver(batch, env)),
} satisfies ExportedHandler<Env>;

async function deliver(batch: MessageBatch, env: Env): Promise<void> {
  const { first, second } = doubled(batch);
  await kernel.queue(first, env);
  if (second.messages.length > 0) await kernel.queue(second, env);
  const deliveries = first.messages.length + second.messages.length;
  console.warn(JSON.stringify({ event: "test.delivered", messages: batch.messages.length, deliveries }));
}
