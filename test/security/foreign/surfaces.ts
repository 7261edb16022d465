import { createApp } from "../../../workers/api/app.ts";
import { openApiDocument } from "../../../workers/api/openapi.ts";
import type { Call } from "../../workers/kernel-client.ts";
import type { Household, Kind } from "./household.ts";

/**
 * Every place where a request can name something: the parts of all paths of the API's own document, and what stands in queries,
 * bodies and headers. A part of a path that is not known here fails the run.
 */

export interface Surface {
  name: string;
  kind: Kind;
  /** The request of a stranger that names `id`. */
  ask(id: string): { method: string; path: string; call: Call };
}

const BODIES: Record<string, object> = {
  "PATCH /v1/agents/{id}": { priority: 3 },
  "POST /v1/agents/{id}/messages": { content: "hello" },
  "POST /v1/agents/{id}/signals": { signal: "KILL" },
  "POST /v1/agents/{id}/pages": { content: "text" },
  "PATCH /v1/agents/{id}/pages/{pageId}": { pinned: true },
  "POST /v1/agents/{id}/file-versions/{path}": { version: 1 },
  "POST /v1/approvals/{id}": { answer: "blue" },
  "POST /v1/keys/{id}/rotate": { overlapSeconds: 60 },
};
const QUERIES: Record<string, string> = {
  "GET /v1/agents/{id}/wait": "?timeout=0",
  "GET /v1/agents/{id}/pages/search": "?q=lighthouse",
};
const NESTED: Record<string, Kind> = { messageId: "message", pageId: "page", path: "file" };
const FAMILIES: Record<string, Kind> = {
  agents: "agent",
  approvals: "approval",
  "approval-rules": "rule",
  batches: "batch",
  keys: "key",
  credentials: "credential",
  tenants: "tenant",
  "dead-letters": "call",
};

function routes(): string[] {
  return Object.entries(openApiDocument(createApp()).paths ?? {}).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
}

/** Throws for a part of a path that nobody has said the kind of. */
export function surfacesOf(stranger: Household): Surface[] {
  return [...routes().flatMap((route) => inPath(route, stranger)), ...elsewhere(stranger)];
}

/** Paths of whatever is read without naming anything: each answers for the tenant of the key alone. */
export function unnamedReads(): string[] {
  return routes().flatMap((route) => /^GET ([^{]*)$/.exec(route)?.[1] ?? []);
}

function inPath(route: string, stranger: Household): Surface[] {
  const parts = [...route.matchAll(/\{(\w+)\}/g)].map(([, part = ""]) => part);
  return parts
    .filter((part) => !(part === "path" && route.startsWith("PUT")))
    .map((part, index) => {
      const kind = index === 0 ? FAMILIES[route.split("/")[2] ?? ""] : NESTED[part];
      if (kind === undefined) throw new Error(`${route}: what does {${part}} name?`);
      return { name: `${route} ${part}`, kind, ask: (id) => requestTo(route, stranger, { part, id }) };
    });
}

/** The other parts of the path name what the stranger has. */
function requestTo(route: string, { key, ids }: Household, named: { part: string; id: string }) {
  const [method = "", path = ""] = route.split(" ");
  const where = path.replace(/\{(\w+)\}/g, (_, part: string) => {
    if (part === named.part) return encodeURIComponent(named.id);
    return encodeURIComponent(ids[NESTED[part] ?? "agent"]);
  });
  const body = BODIES[route];
  const raw = method === "PUT" ? { raw: "written by a stranger" } : {};
  return { method, path: `${where}${QUERIES[route] ?? ""}`, call: { key, ...raw, ...(body && { body }) } };
}

function elsewhere({ key, ids }: Household): Surface[] {
  const question = [{ role: "user", content: "hello" }];
  const query = (name: string, kind: Kind, path: string): Surface => ({
    name: `${path} ?${name}`,
    kind,
    ask: (id) => ({ method: "GET", path: `${path}?${new URLSearchParams({ [name]: id })}`, call: { key } }),
  });
  const body = (name: string, kind: Kind, path: string, bodyOf: (id: string) => object): Surface => ({
    name: `POST ${path} ${name}`,
    kind,
    ask: (id) => ({ method: "POST", path, call: { key, body: bodyOf(id) } }),
  });
  const spec = { name: "a", role: "b", goal: "c", model: "local/reader" };
  return [
    query("agentId", "agent", "/v1/audit"),
    query("agentId", "agent", "/v1/audit/verify"),
    query("agentId", "agent", "/v1/audit/export"),
    query("agentId", "agent", "/v1/costs/calls"),
    query("parentId", "agent", "/v1/agents"),
    query("tenantId", "tenant", "/v1/keys"),
    query("keyId", "key", "/v1/quotas"),
    {
      name: "PUT /v1/quotas ?keyId",
      kind: "key",
      ask: (id) => ({
        method: "PUT",
        path: `/v1/quotas?${new URLSearchParams({ keyId: id })}`,
        call: { key, body: { quotas: { tokens: 1 } } },
      }),
    },
    body("parentId", "agent", "/v1/agents", (parentId) => ({ ...spec, parentId })),
    body("tenantId", "tenant", "/v1/keys", (tenantId) => ({ role: "viewer", tenantId })),
    body("model", "agent", "/v1/chat/completions", (id) => ({ model: `agent/${id}`, messages: question })),
    body("model", "agent", "/v1/responses", (id) => ({ model: `agent/${id}`, input: "hello" })),
    {
      name: "X-AOS-Tenant",
      kind: "tenant",
      ask: (id) => ({ method: "GET", path: `/v1/agents/${ids.agent}`, call: { key, tenant: encodeURIComponent(id) } }),
    },
  ];
}
