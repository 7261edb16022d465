import * as z from "zod";

/**
 * What of its role a key may use. A scope is a family of routes, for reading or for the rest; writing does not include reading.
 * It follows from the route itself, so that a new route has one without anybody remembering: the first part of its path names
 * the family. A key without scopes may do everything of its role; one with scopes nothing else, and no route without a scope.
 */

const FAMILIES = [
  "agents",
  "approval-rules",
  "approvals",
  "audit",
  "batches",
  "cache",
  "costs",
  "credentials",
  "dead-letters",
  "keys",
  "providers",
  "quotas",
  "tenants",
  "tools",
] as const;
type Family = (typeof FAMILIES)[number];

/** The OpenAI front is one scope: its clients list models and call them with one key. */
const FRONT = ["chat", "responses", "embeddings", "models"];
/** Rules answer for people, so they belong to what people answer. */
const KIN: Readonly<Record<string, Family>> = { "approval-rules": "approvals" };

export type Scope = `${Family}:${"read" | "write"}` | "llm";
export const SCOPES: readonly Scope[] = [
  "llm",
  ...FAMILIES.flatMap((family) => [`${family}:read`, `${family}:write`] as const),
];

export const scopes = z
  .array(z.enum(SCOPES))
  .min(1)
  .max(SCOPES.length)
  .transform((list) => [...new Set(list)].sort())
  .meta({ description: "What of its role the key may use; everything when absent. Writing does not include reading." });

const ROUTE = /^([A-Z]+) \/v1\/([a-z-]+)/;

/** The scope of a route, written as `GET /v1/agents/{id}`; undefined = no key with scopes may take it. */
export function scopeOf(route: string): Scope | undefined {
  const [, method, part = ""] = ROUTE.exec(route) ?? [];
  const name = FRONT.includes(part) ? "llm" : `${KIN[part] ?? part}:${method === "GET" ? "read" : "write"}`;
  return SCOPES.find((scope) => scope === name);
}

/** Whether somebody who holds `held` may use all of `asked`; null = everything. */
export function withinScopes(asked: readonly Scope[] | null, held: readonly Scope[] | null): boolean {
  return held === null || (asked?.every((scope) => held.includes(scope)) ?? false);
}
