import type { IssuedKey } from "../../workers/api/registry/keys.ts";
import type { TenantView } from "../../workers/api/registry/tenants.ts";
import { json } from "./kernel-client.ts";

/** Tenants and keys that stories are told about, made by the bootstrap key. */

export async function newTenant(name = "acme"): Promise<string> {
  return (await json<TenantView>(201, "POST", "/v1/tenants", { body: { name } })).id;
}

export function newKey(role: string, tenantId: string, more: Record<string, unknown> = {}): Promise<IssuedKey> {
  return json<IssuedKey>(201, "POST", "/v1/keys", { body: { role, tenantId, ...more } });
}
