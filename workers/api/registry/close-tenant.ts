import { err, ok, type Result } from "../../../kernel/errors.ts";
import { answer, coreObject } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import type { AppContext } from "../context.ts";
import { DEFAULT_TENANT, Tenants } from "./tenants.ts";

/**
 * Removes a tenant that has neither agents nor live keys: erasing agents and revoking keys are acts of their own, each
 * with its entry in the chain, and none happens by the way. The chain itself stays.
 */
export async function closeTenant(c: AppContext, id: string): Promise<Result<null>> {
  const tenants = new Tenants(c.env.DB);
  const tenant = await tenants.get(id);
  if (!tenant.ok) return tenant;
  if (id === DEFAULT_TENANT) return err("conflict", "The tenant `default` is always there.");
  const free = await hasNothing(c, tenants, id);
  if (!free.ok) return free;
  const recorded = await answer(coreObject(c.env, id).record("tenant.delete", actorOf(c.var.principal), {}));
  if (!recorded.ok) return recorded;
  const removed = await tenants.remove(id);
  if (!removed.ok) return removed;
  return removed.value ? ok(null) : HAS_KEYS;
}

async function hasNothing(c: AppContext, tenants: Tenants, id: string): Promise<Result<null>> {
  const keys = await tenants.hasLiveKeys(id);
  if (!keys.ok) return keys;
  if (keys.value) return HAS_KEYS;
  const agents = await answer(coreObject(c.env, id).list({ limit: 1 }));
  if (!agents.ok) return agents;
  return agents.value.items.length === 0 ? ok(null) : HAS_AGENTS;
}

const HAS_KEYS = err("conflict", "The tenant has keys that open something; revoke them first.");
const HAS_AGENTS = err("conflict", "The tenant has agents; erase them first.");
