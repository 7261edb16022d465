import { createHash, timingSafeEqual } from "node:crypto";
import { err, ok, type Result } from "../../kernel/errors.ts";
import type { Env } from "../env.ts";

/**
 * Who asks. `Authorization: Bearer <key>` is compared as a SHA-256 hash in constant time, so that neither the length nor
 * the bytes of a key show in the time that a refusal takes.
 */

export interface Principal {
  keyId: string;
  /** What the key may do: read; read and act; also administer keys and tenants. */
  role: "viewer" | "operator" | "admin";
  /** The tenant that the request acts in. */
  tenant: string;
}

const BEARER = /^Bearer +(\S+) *$/i;
const TENANT = /^[a-z0-9][a-z0-9-]{0,62}$/;
const DEFAULT_TENANT = "default";

/** The principal behind a request; `unauthorized` when its key is missing or wrong. */
export async function authenticate(request: Request, env: Env): Promise<Result<Principal>> {
  const key = BEARER.exec(request.headers.get("Authorization") ?? "")?.[1];
  if (key === undefined) return err("unauthorized", "Send the header `Authorization: Bearer <key>`.");
  if (env.AOS_ADMIN_KEY !== undefined && isSame(key, env.AOS_ADMIN_KEY)) return bootstrap(request);
  return err("unauthorized", "This key is not known, or it has been revoked.");
}

/** The bootstrap key administers all tenants and acts in the one that the request names. */
function bootstrap(request: Request): Result<Principal> {
  const tenant = request.headers.get("X-AOS-Tenant") ?? DEFAULT_TENANT;
  if (!TENANT.test(tenant)) {
    const message = "1 to 63 of a-z, 0-9 and hyphen, and no hyphen first";
    return err("invalid_input", `X-AOS-Tenant: ${message}.`, { issues: [{ path: "header.X-AOS-Tenant", message }] });
  }
  return ok({ keyId: "bootstrap", role: "admin", tenant });
}

/** How the log records a principal. */
export function actorOf(principal: Principal): string {
  return `key:${principal.keyId}`;
}

function isSame(given: string, expected: string): boolean {
  if (expected === "") return false;
  return timingSafeEqual(sha256(given), sha256(expected));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
