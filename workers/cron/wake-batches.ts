import { LIMITS } from "../../kernel/limits.ts";
import type { Env } from "../env.ts";
import { answer, batchObject } from "../objects.ts";

/**
 * Wakes batch jobs whose alarm may be lost: those that are not over and said nothing for a while, and those that should be
 * erased by now. Once an hour, because a look costs a row read for each listed job, and a lost alarm is rare.
 */

const SILENT = `SELECT id, tenant FROM batches
  WHERE as_of < ?1 AND (state NOT IN ('completed', 'failed', 'expired', 'cancelled') OR as_of < ?2) ORDER BY as_of LIMIT ?3`;

const HOUR_MS = 3_600_000;
const TICK_MS = 60_000;

type Silent = { id: string; tenant: string };

export async function wakeBatches(env: Env, scheduledAt: number): Promise<void> {
  if (scheduledAt % HOUR_MS >= TICK_MS) return;
  const silentSince = scheduledAt - LIMITS.batchSilentMs;
  const statement = env.DB.prepare(SILENT).bind(silentSince, silentSince - LIMITS.batchKeepMs, LIMITS.batchWakes);
  const line = (await statement.all<Silent>()).results.values();
  await Promise.all(Array.from({ length: LIMITS.sweepConcurrency }, () => drain(env, line)));
}

/** One of several that take from the same line. */
async function drain(env: Env, line: Iterator<Silent>): Promise<void> {
  for (let next = line.next(); !next.done; next = line.next()) await wake(env, next.value);
}

async function wake(env: Env, { id, tenant }: Silent): Promise<void> {
  try {
    const woken = await answer(batchObject(env, tenant, id).wake());
    if (!woken.ok) console.warn(JSON.stringify({ level: "warn", event: "cron.batch", tenant, id, ...woken.error }));
  } catch (error) {
    console.error(JSON.stringify({ level: "error", event: "cron.batch", tenant, id, message: String(error) }));
  }
}
