import { CheckpointTable } from "../../durable-objects/d1/checkpoint-table.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Env } from "../env.ts";
import { answer, coreObject } from "../objects.ts";
import { retainedSince } from "../retention.ts";

/**
 * The retention of audit trails, once an hour: cores whose exported segments are older than `AOS_AUDIT_RETENTION_DAYS` remove them.
 * Without that setting everything is kept, and nothing is asked.
 */

const HOUR_MS = 3_600_000;
const TICK_MS = 60_000;

export async function retireAudit(env: Env, scheduledAt: number): Promise<void> {
  const before = retainedSince(env, scheduledAt);
  if (before === null || scheduledAt % HOUR_MS >= TICK_MS) return;
  const deadline = Date.now() + LIMITS.sweepMs;
  for (const tenant of await new CheckpointTable(env.DB).tenantsWithExpired(before)) {
    if (Date.now() > deadline) return;
    const retired = await answer(coreObject(env, tenant).retire(before), LIMITS.sweepMs);
    if (!retired.ok) console.warn(JSON.stringify({ level: "warn", event: "cron.audit", tenant, ...retired.error }));
  }
}
