import type { Env } from "../env.ts";
import { consumeCalls } from "./calls.ts";
import { keepDeadLetters } from "./dead-letters.ts";

/** The queues of wrangler.toml, each with its consumer. */

const DEAD = "-dead";

export async function consume(batch: MessageBatch, env: Env): Promise<void> {
  return batch.queue.endsWith(DEAD) ? keepDeadLetters(batch, env) : consumeCalls(batch, env);
}
