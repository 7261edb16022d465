import { LIMITS } from "../../kernel/limits.ts";
import type { Env } from "../env.ts";
import { answer, coreObject } from "../objects.ts";

/**
 * Cron's part: wake the cores whose `due_at` in D1 has passed, and no other, so that an idle kernel costs nothing. A core
 * that fails or does not answer is simply due again at the next tick.
 */

const DUE = "SELECT tenant FROM cores WHERE due_at <= ? ORDER BY due_at LIMIT ?";

export async function sweep(env: Env, scheduledAt: number): Promise<void> {
  const deadline = Date.now() + LIMITS.sweepMs;
  const due = await env.DB.prepare(DUE).bind(scheduledAt, LIMITS.sweepCores).all<{ tenant: string }>();
  const queue = due.results.values();
  await Promise.all(Array.from({ length: LIMITS.sweepConcurrency }, () => drain(env, queue, deadline)));
}

/** One of several that take from the same queue. */
async function drain(env: Env, queue: Iterator<{ tenant: string }>, deadline: number): Promise<void> {
  for (let next = queue.next(); !next.done && Date.now() < deadline; next = queue.next()) {
    await sweepOne(env, next.value.tenant);
  }
}

async function sweepOne(env: Env, tenant: string): Promise<void> {
  try {
    const swept = await answer(coreObject(env, tenant).sweep());
    if (!swept.ok) console.warn(JSON.stringify({ level: "warn", event: "cron.sweep", tenant, ...swept.error }));
  } catch (error) {
    console.error(JSON.stringify({ level: "error", event: "cron.sweep", tenant, message: String(error) }));
  }
}
