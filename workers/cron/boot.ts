import { LIMITS } from "../../kernel/limits.ts";
import type { Env } from "../env.ts";
import { answer, coreObject } from "../objects.ts";

/**
 * What the local runtime's event does when workerd has begun anew. The local queue lives in workerd's memory, and so do its
 * consumers: a kill ends both, and unlike the real one that queue delivers nothing again. So every core is told, and its
 * agents of the batch lane look after their calls at once; a core that does not hear it finds out by the claims' deadlines.
 */

const CORES = "SELECT tenant FROM cores LIMIT ?";

export async function atBoot(env: Env, beganAt: number): Promise<void> {
  const cores = await env.DB.prepare(CORES).bind(LIMITS.sweepCores).all<{ tenant: string }>();
  await Promise.all(cores.results.map(({ tenant }) => tellCore(env, tenant, beganAt)));
}

async function tellCore(env: Env, tenant: string, beganAt: number): Promise<void> {
  const told = await answer(coreObject(env, tenant).queueLost(beganAt), LIMITS.sweepMs);
  if (!told.ok) console.warn(JSON.stringify({ level: "warn", event: "boot.core", tenant, ...told.error }));
}
