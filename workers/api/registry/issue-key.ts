import { err, ok, type Result } from "../../../kernel/errors.ts";
import { answer, coreObject } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import type { AppContext } from "../context.ts";
import type { Attempt } from "./attempt.ts";
import { type Creation, Creations } from "./creations.ts";
import { type IssuedKey, type KeySpec, newKey } from "./keys.ts";
import { Tenants } from "./tenants.ts";

/**
 * Makes a key of a tenant that exists. The tenant's chain says so first, so that no key is ever without its entry; a crash
 * in between leaves an entry without a key, which opens nothing.
 */
export async function issueKey(c: AppContext, spec: KeySpec, attempt: Attempt): Promise<Result<IssuedKey>> {
  const issued = await new Creations(c.env.DB).once(attempt, () => prepare(c, spec));
  if (!issued.ok) return issued;
  return issued.value === null ? NO_TENANT : ok(issued.value);
}

/** Asks for the tenant first: the core of one that is not there must not be woken. */
async function prepare(c: AppContext, spec: KeySpec): Promise<Result<Creation<IssuedKey>>> {
  const tenant = await new Tenants(c.env.DB).get(spec.tenant);
  if (!tenant.ok) return tenant.error.code === "not_found" ? NO_TENANT : tenant;
  const creation = newKey(spec);
  const { role, name, expiresAt, requestsPerMinute } = spec;
  const facts = {
    keyId: creation.id,
    role,
    name,
    scopes: spec.scopes === null ? "all" : spec.scopes.join(" "),
    ...(expiresAt === null ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
    ...(requestsPerMinute === null ? {} : { requestsPerMinute: String(requestsPerMinute) }),
  };
  const core = coreObject(c.env, spec.tenant);
  const recorded = await answer(core.record("key.create", actorOf(c.var.principal), facts));
  return recorded.ok ? ok(creation) : recorded;
}

const NO_TENANT = err("invalid_input", "$.tenantId: There is no such tenant.", {
  issues: [{ path: "$.tenantId", message: "There is no such tenant" }],
});
