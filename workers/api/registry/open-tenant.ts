import { err, ok, type Result } from "../../../kernel/errors.ts";
import { answer, coreObject } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import type { AppContext } from "../context.ts";
import type { Attempt } from "./attempt.ts";
import { type Creation, Creations } from "./creations.ts";
import { newTenant, type TenantView } from "./tenants.ts";

/** Makes a tenant. Its chain begins with the entry that says who made it. */
export async function openTenant(c: AppContext, name: string, attempt: Attempt): Promise<Result<TenantView>> {
  const opened = await new Creations(c.env.DB).once(attempt, () => prepare(c, name));
  if (!opened.ok) return opened;
  return opened.value === null ? BUSY : ok(opened.value);
}

async function prepare(c: AppContext, name: string): Promise<Result<Creation<TenantView>>> {
  const creation = newTenant(name);
  const core = coreObject(c.env, creation.id);
  const recorded = await answer(core.record("tenant.create", actorOf(c.var.principal), { name }));
  return recorded.ok ? ok(creation) : recorded;
}

const BUSY = err("unavailable", "The tenant was not made; try again with the same Idempotency-Key.");
