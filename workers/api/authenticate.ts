import { createHash, timingSafeEqual } from "node:crypto";
import { err, ok, type Result } from "../../kernel/errors.ts";
import type { AppContext } from "./context.ts";
import type { KeyRing } from "./key-ring.ts";
import type { KeyFacts } from "./registry/keys.ts";
import { DEFAULT_TENANT } from "./registry/tenants.ts";
import type { Rank } from "./roles.ts";
import type { Scope } from "./scopes.ts";

/**
 * Who asks. `Authorization: Bearer <key>` is compared as a SHA-256 hash in constant time, so that neither the length nor
 * the bytes of a key show in the time that a refusal takes. Unknown, revoked and expired keys get the same refusal.
 */

export interface Principal {
  keyId: string;
  /** What the key may do: see roles.ts. */
  role: Rank;
  /** What of it; null = all. */
  scopes: readonly Scope[] | null;
  /** The tenant that the request acts in. */
  tenant: string;
  /** Null = nobody limits how often this key asks. `own` is the key's limit a minute, if it has one. */
  rate: { own: number | null } | null;
}

const BEARER = /^Bearer +(\S+) *$/i;
const TENANT = /^[a-z0-9][a-z0-9-]{0,62}$/;
const TENANT_HEADER = "X-AOS-Tenant";

/** The key that a request carries. */
export function bearerOf(c: AppContext): string | undefined {
  return BEARER.exec(c.req.header("Authorization") ?? "")?.[1];
}

/** The principal behind a request; `unauthorized` when its key is missing or not good. */
export async function authenticate(c: AppContext, keys: KeyRing): Promise<Result<Principal>> {
  const key = bearerOf(c);
  const tenant = c.req.header(TENANT_HEADER);
  if (key === undefined) return err("unauthorized", "Send the header `Authorization: Bearer <key>`.");
  if (c.env.AOS_ADMIN_KEY !== undefined && isSame(key, c.env.AOS_ADMIN_KEY)) return bootstrap(tenant);
  const found = await keys.find(key, c.env.DB, (work) => c.executionCtx.waitUntil(work));
  if (!found.ok) return found;
  if (found.value === null) return err("unauthorized", "This key is not known, has expired, or has been revoked.");
  return tenantKey(found.value, tenant);
}

/** The bootstrap key administers all tenants and acts in the one that the request names. Nobody limits its rate. */
function bootstrap(tenant: string = DEFAULT_TENANT): Result<Principal> {
  if (!TENANT.test(tenant)) {
    const message = "1 to 63 of a-z, 0-9 and hyphen, and no hyphen first";
    return err("invalid_input", `${TENANT_HEADER}: ${message}.`, {
      issues: [{ path: `header.${TENANT_HEADER}`, message }],
    });
  }
  return ok({ keyId: "bootstrap", role: "bootstrap", scopes: null, tenant, rate: null });
}

/** A tenant's key acts in that tenant; a request that names another one was meant for another key. */
function tenantKey(facts: KeyFacts, tenant: string = facts.tenant): Result<Principal> {
  if (tenant !== facts.tenant) return err("forbidden", `This key acts in its own tenant; leave ${TENANT_HEADER} out.`);
  const { requestsPerMinute: own, tenantRequestsPerMinute: shared } = facts;
  const rate = own === null && shared === null ? null : { own };
  return ok({ keyId: facts.id, role: facts.role, scopes: facts.scopes, tenant, rate });
}

/** How the log records a principal. */
export function actorOf(principal: Principal): string {
  return `key:${principal.keyId}`;
}

/** Whether the principal may hand out keys of `tenant`; its role was checked before. */
export function administers(principal: Principal, tenant: string): boolean {
  return principal.role === "bootstrap" || principal.tenant === tenant;
}

function isSame(given: string, expected: string): boolean {
  if (expected === "") return false;
  return timingSafeEqual(sha256(given), sha256(expected));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
