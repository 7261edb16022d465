import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { systemClock, systemHash, systemRandom } from "../../durable-objects/ports.ts";
import { newAgentId, newBatchId } from "../../kernel/id.ts";
import type { ControlBlock } from "../../kernel/process/block.ts";
import { createApp } from "../../workers/api/app.ts";
import type { OpenAiErrorDocument } from "../../workers/api/openai/openai-error.ts";
import { openApiDocument } from "../../workers/api/openapi.ts";
import { figure } from "../security/figure.ts";
import { eventually } from "../support/tenant.ts";
import { bindings, boot, json, type Problem, request, spawnDaemon } from "./kernel-client.ts";
import { newKey, newTenant } from "./key-holders.ts";

/**
 * Every route of the OpenAPI document against every kind of caller. The table below says a second time what each route
 * asks for, so that a role does not change, and a route does not appear, unless somebody says so here too.
 */

const RANKS = ["viewer", "operator", "admin", "bootstrap"] as const;
type Rank = (typeof RANKS)[number];

interface Plan {
  least: Rank;
  /** What a caller that may do it gets. */
  status: number;
  body?: unknown;
  raw?: string;
  query?: string;
}

const CONVERSATION = { model: "local/reader", messages: [{ role: "user", content: "2+2?" }] };

const ROUTES: Record<string, Plan> = {
  "POST /v1/agents": { least: "operator", status: 201, body: { name: "a", role: "b", goal: "c", daemon: true } },
  "GET /v1/agents": { least: "viewer", status: 200 },
  "GET /v1/agents/{id}": { least: "viewer", status: 200 },
  "PATCH /v1/agents/{id}": { least: "operator", status: 200, body: { priority: 3 } },
  "DELETE /v1/agents/{id}": { least: "operator", status: 202 },
  "GET /v1/agents/{id}/wait": { least: "viewer", status: 200, query: "timeout=0" },
  "GET /v1/agents/{id}/steps": { least: "viewer", status: 200 },
  "GET /v1/agents/{id}/events": { least: "viewer", status: 200 },
  "POST /v1/agents/{id}/messages": { least: "operator", status: 202, body: { content: "hello" } },
  "GET /v1/agents/{id}/messages": { least: "viewer", status: 200 },
  "GET /v1/agents/{id}/messages/{messageId}": { least: "viewer", status: 200 },
  "DELETE /v1/agents/{id}/messages/{messageId}": { least: "operator", status: 200 },
  "POST /v1/agents/{id}/signals": { least: "operator", status: 202, body: { signal: "STOP" } },
  "POST /v1/agents/{id}/pages": { least: "operator", status: 201, body: { content: "text" } },
  "GET /v1/agents/{id}/pages": { least: "viewer", status: 200 },
  "GET /v1/agents/{id}/pages/search": { least: "viewer", status: 200, query: "q=lamp" },
  "GET /v1/agents/{id}/pages/{pageId}": { least: "viewer", status: 200 },
  "PATCH /v1/agents/{id}/pages/{pageId}": { least: "operator", status: 200, body: { pinned: true } },
  "DELETE /v1/agents/{id}/pages/{pageId}": { least: "operator", status: 204 },
  "POST /v1/agents/{id}/pages/{pageId}/touch": { least: "operator", status: 200 },
  "GET /v1/agents/{id}/files": { least: "viewer", status: 200 },
  "GET /v1/agents/{id}/files/{path}": { least: "viewer", status: 200 },
  "PUT /v1/agents/{id}/files/{path}": { least: "operator", status: 200, raw: "new" },
  "DELETE /v1/agents/{id}/files/{path}": { least: "operator", status: 204 },
  "GET /v1/agents/{id}/provenance": { least: "viewer", status: 200 },
  "GET /v1/agents/{id}/file-versions/{path}": { least: "viewer", status: 200 },
  "POST /v1/agents/{id}/file-versions/{path}": { least: "operator", status: 200, body: { version: 1 } },
  "GET /v1/approvals": { least: "viewer", status: 200 },
  "POST /v1/approvals/{id}": { least: "operator", status: 200, body: { answer: "blue" } },
  "GET /v1/approval-rules": { least: "viewer", status: 200 },
  "POST /v1/approval-rules": {
    least: "operator",
    status: 201,
    body: { decision: "approve", scope: "tenant", tool: "http_request", for: "tool" },
  },
  "DELETE /v1/approval-rules/{id}": { least: "operator", status: 204 },
  "GET /v1/audit": { least: "viewer", status: 200 },
  "GET /v1/audit/verify": { least: "viewer", status: 200 },
  "GET /v1/audit/export": { least: "viewer", status: 200 },
  "GET /v1/audit/key": { least: "viewer", status: 200 },
  "POST /v1/audit/checkpoints": { least: "operator", status: 204 },
  "GET /v1/costs": { least: "viewer", status: 200 },
  "GET /v1/costs/calls": { least: "viewer", status: 200 },
  "GET /v1/dead-letters": { least: "viewer", status: 200 },
  // Nothing is dead here: who may ask is told so.
  "POST /v1/dead-letters/{callId}/retry": { least: "operator", status: 404 },
  "GET /v1/tools": { least: "viewer", status: 200 },
  "DELETE /v1/cache": { least: "admin", status: 204 },
  "POST /v1/chat/completions": { least: "operator", status: 200, body: CONVERSATION },
  "POST /v1/responses": { least: "operator", status: 200, body: { model: "local/reader", input: "2+2?" } },
  // No vendor that makes embeddings is configured here: who may ask is told so.
  "POST /v1/embeddings": { least: "operator", status: 422, body: { model: "openai/x", input: "lamp" } },
  "GET /v1/models": { least: "viewer", status: 200 },
  "GET /v1/providers": { least: "viewer", status: 200 },
  "POST /v1/batches": {
    least: "operator",
    status: 201,
    body: { requests: [{ customId: "a", model: "local/reader", messages: [{ role: "user", content: "hello" }] }] },
  },
  "GET /v1/batches": { least: "viewer", status: 200 },
  "GET /v1/batches/{id}": { least: "viewer", status: 200 },
  "GET /v1/batches/{id}/results": { least: "viewer", status: 200 },
  // It has ended: who may cancel is told so.
  "DELETE /v1/batches/{id}": { least: "operator", status: 409 },
  "GET /v1/quotas": { least: "viewer", status: 200 },
  "PUT /v1/quotas": { least: "admin", status: 200, body: { quotas: { pages: 1_000_000 } } },
  "POST /v1/keys": { least: "admin", status: 201, body: { role: "viewer" } },
  "GET /v1/keys": { least: "admin", status: 200 },
  "DELETE /v1/keys/{id}": { least: "admin", status: 204 },
  "POST /v1/keys/{id}/rotate": { least: "admin", status: 201, body: { overlapSeconds: 60 } },
  "POST /v1/credentials": {
    least: "operator",
    status: 201,
    body: { name: "weather", value: "a-key-of-the-weather", hosts: ["api.example.com"] },
  },
  "GET /v1/credentials": { least: "operator", status: 200 },
  "POST /v1/credentials/reseal": { least: "operator", status: 200 },
  "DELETE /v1/credentials/{name}": { least: "operator", status: 204 },
  "POST /v1/tenants": { least: "bootstrap", status: 201, body: { name: "globex" } },
  "GET /v1/tenants": { least: "viewer", status: 200 },
  "DELETE /v1/tenants/{id}": { least: "bootstrap", status: 204 },
};

/** The scope of a route, said a second time too: the first part of its path, and whether it only reads. */
function scopeWanted(route: string): string {
  const [method, path = ""] = route.split(" ");
  const family = path.split("/")[2] ?? "";
  if (["chat", "responses", "embeddings", "models"].includes(family)) return "llm";
  return `${family === "approval-rules" ? "approvals" : family}:${method === "GET" ? "read" : "write"}`;
}

interface Operation {
  security?: { bearer?: string[] }[];
}

/** Route -> what the document says that it needs, role and scope; empty where it says nothing. */
const DESCRIBED: Record<string, string[]> = Object.fromEntries(
  Object.entries(openApiDocument(createApp()).paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(([method, { security }]) => {
      return [`${method.toUpperCase()} ${path}`, security?.[0]?.bearer ?? []];
    }),
  ),
);
const SCOPES = [...new Set(Object.keys(ROUTES).map(scopeWanted))];

/** Who asks, besides the keys with scopes: each route meets them all. */
const CALLERS = ["no key", "bad", "revoked", "expired", "viewer", "operator", "admin", "bootstrap", "other tenant"];

let surprises = 0;
afterEach(({ task }) => {
  if (task.result?.state === "fail") surprises += 1;
});
afterAll(() => {
  const said = surprises === 0 ? "no surprise" : `${surprises} surprises`;
  figure("S1", `${Object.keys(ROUTES).length} routes x ${CALLERS.length} callers: ${said}`);
});

let home: string;
let abroad: string;
const key: Record<string, string> = {};

beforeAll(async () => {
  boot();
  [home, abroad] = await Promise.all([newTenant("home"), newTenant("abroad")]);
  for (const role of ["viewer", "operator", "admin"]) key[role] = (await newKey(role, home)).key;
  key["stranger"] = (await newKey("admin", abroad)).key;
  key["bad"] = `aos_${"x".repeat(43)}`;
  const expired = await newKey("admin", home);
  await bindings.DB.prepare("UPDATE api_keys SET expires_at = 1 WHERE id = ?").bind(expired.id).run();
  const revoked = await newKey("admin", home);
  expect((await request("DELETE", `/v1/keys/${revoked.id}`)).status).toBe(204);
  Object.assign(key, { expired: expired.key, revoked: revoked.key });
  for (const scope of SCOPES) {
    key[scope] = (await newKey("admin", home, { scopes: [scope] })).key;
    key[`all but ${scope}`] = (await newKey("admin", home, { scopes: SCOPES.filter((one) => one !== scope) })).key;
  }
}, 60_000);

/** What paths may name: an agent with something of everything, or what the first part of the path says. */
async function subject(route: string): Promise<Record<string, string>> {
  if (route.includes("/v1/keys/{id}")) return { id: (await newKey("viewer", home)).id };
  if (route.includes("/v1/tenants/{id}")) return { id: await newTenant("brief") };
  if (route.includes("/v1/approval-rules/{id}")) return { id: await newRule() };
  if (route.includes("/v1/approvals/{id}")) return { id: await openQuestion() };
  if (route.includes("/v1/batches/{id}")) return { id: await endedBatch() };
  if (route.includes("/v1/credentials/{name}")) return { name: await storedCredential() };
  if (!route.includes("{id}")) return {};
  const { id } = await spawnDaemon({}, home);
  const at = { tenant: home };
  await json(202, "POST", `/v1/agents/${id}/signals`, { ...at, body: { signal: "STOP" } });
  const sent = { ...at, body: { content: "Is the lamp lit?" } };
  const { messageId } = await json<{ messageId: string }>(202, "POST", `/v1/agents/${id}/messages`, sent);
  const text = { ...at, body: { content: "The lamp is lit." } };
  const { pages } = await json<{ pages: { id: string }[] }>(201, "POST", `/v1/agents/${id}/pages`, text);
  await request("PUT", `/v1/agents/${id}/files/a.txt`, { ...at, raw: "old" });
  return { id, messageId, pageId: pages[0]?.id ?? "", path: "a.txt" };
}

async function endedBatch(): Promise<string> {
  const at = { tenant: home };
  const body = ROUTES["POST /v1/batches"]?.body;
  const { id } = await json<{ id: string }>(201, "POST", "/v1/batches", { ...at, body });
  const look = () => json<{ state: string }>(200, "GET", `/v1/batches/${id}`, at);
  await eventually(look, ({ state }) => state === "completed");
  return id;
}

async function storedCredential(): Promise<string> {
  const name = `tide-${crypto.randomUUID()}`;
  const body = { name, value: "a-key-of-the-tide", hosts: ["api.example.com"] };
  await json(201, "POST", "/v1/credentials", { tenant: home, body });
  return name;
}

async function openQuestion(): Promise<string> {
  const body = { name: "asker", role: "r", goal: "Ask a person: which colour is the door?", model: "local/reader" };
  const { id } = await json<ControlBlock>(201, "POST", "/v1/agents", { tenant: home, body });
  await json(200, "GET", `/v1/agents/${id}/wait?timeout=15`, { tenant: home });
  for (let tries = 0; tries < 100; tries++) {
    const path = "/v1/approvals?state=open&limit=200";
    const { items } = await json<{ items: { id: string; agentId: string }[] }>(200, "GET", path, { tenant: home });
    const own = items.find((item) => item.agentId === id);
    if (own !== undefined) return own.id;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("the question did not reach the core");
}

async function newRule(): Promise<string> {
  const body = { decision: "deny", scope: "tenant", tool: "exit", for: "tool" };
  return (await json<{ id: string }>(201, "POST", "/v1/approval-rules", { tenant: home, body })).id;
}

/** One request to a route; a stream that it opens is closed again. */
async function ask(route: string, names: Record<string, string>, caller: { key?: string | null; tenant?: string }) {
  const [method = "", path = ""] = route.split(" ");
  const { body, raw, query } = ROUTES[route] ?? {};
  const where = path.replace(/\{(\w+)\}/g, (_, name: string) => names[name] ?? "none");
  const what = { ...(body !== undefined && { body }), ...(raw !== undefined && { raw }) };
  const response = await request(method, query ? `${where}?${query}` : where, { ...what, ...caller });
  const isStream = response.headers.get("Content-Type") === "text/event-stream";
  if (isStream) await response.body?.cancel();
  const text = isStream ? "" : await response.text();
  return { status: response.status, words: text.replace(/"requestId":"[^"]*"/, "") };
}

/** The code of a refusal, in a problem document or in OpenAI's shape. */
function codeOf(words: string): string {
  const document = JSON.parse(words.replace(/,\s*}/, "}")) as Problem | OpenAiErrorDocument;
  return "error" in document ? document.error.code : document.code;
}

describe("the document", () => {
  test("names the routes of the table above, and no other, with the roles and scopes that it says", () => {
    const table = Object.fromEntries(
      Object.entries(ROUTES).map(([route, { least }]) => [route, [least, scopeWanted(route)]]),
    );
    const behindTheKey = Object.entries(DESCRIBED).filter(([route]) => route.includes(" /v1/"));
    expect(Object.fromEntries(behindTheKey)).toEqual(table);
  });

  test("knows every route of the router, so that none stands beside it", () => {
    const routed = createApp()
      .routes.filter(({ method, path }) => method !== "ALL" && path.startsWith("/v1/"))
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}").replace(/\*$/, "{path}")}`);
    expect([...new Set(routed)].toSorted()).toEqual(Object.keys(ROUTES).toSorted());
  });

  test("opens a route to nobody that it does not know", async () => {
    const app = createApp();
    app.get("/v1/beside", (c) => c.text("reached"));
    const Authorization = `Bearer ${bindings.AOS_ADMIN_KEY}`;
    const response = await app.request("/v1/beside", { headers: { Authorization } }, bindings);
    expect([response.status, codeOf(await response.text())]).toEqual([403, "forbidden"]);
  });

  test("leaves only health open to everybody", () => {
    const open = Object.keys(DESCRIBED).filter((route) => !route.includes(" /v1/"));
    expect(open).toEqual(["GET /health"]);
  });
});

describe.each(Object.keys(DESCRIBED).filter((route) => route.includes(" /v1/")))("%s", (route) => {
  const plan = ROUTES[route] ?? { least: "bootstrap", status: 0 };

  test("is closed to no key, a bad, a revoked and an expired one, in the same words", async () => {
    const none = await ask(route, {}, { key: null });
    expect([none.status, codeOf(none.words)]).toEqual([401, "unauthorized"]);
    const refused = await Promise.all(
      ["bad", "revoked", "expired"].map((name) => ask(route, {}, { key: key[name] ?? "" })),
    );
    expect(refused[0]?.status).toBe(401);
    expect(new Set(refused.map(({ words }) => words)).size).toBe(1);
  });

  test.each(RANKS.filter((rank) => RANKS.indexOf(rank) < RANKS.indexOf(plan.least)))(
    "is forbidden to a %s",
    async (rank) => {
      const { status, words } = await ask(route, await subject(route), { key: key[rank] ?? "" });
      expect([status, codeOf(words)]).toEqual([403, "forbidden"]);
    },
  );

  test("is open to whoever may", { timeout: 30_000 }, async () => {
    const allowed = RANKS.filter((rank) => RANKS.indexOf(rank) >= RANKS.indexOf(plan.least));
    const answers = await Promise.all(
      allowed.map(async (rank) => {
        const caller = rank === "bootstrap" ? { tenant: home } : { key: key[rank] ?? "" };
        const { status, words } = await ask(route, await subject(route), caller);
        return [rank, status, status === plan.status ? "" : words];
      }),
    );
    expect(answers).toEqual(allowed.map((rank) => [rank, plan.status, ""]));
  });

  test("is closed to a key that names another tenant than its own", async () => {
    const { status, words } = await ask(route, {}, { key: key["admin"] ?? "", tenant: abroad });
    expect([status, codeOf(words)]).toEqual([403, "forbidden"]);
  });
});

describe.each(Object.entries(ROUTES).filter(([, { least }]) => least !== "bootstrap"))("%s", (route, { status }) => {
  const scope = scopeWanted(route);

  test("is closed to a key with every other scope", async () => {
    const { status, words } = await ask(route, {}, { key: key[`all but ${scope}`] ?? "" });
    expect([status, codeOf(words)]).toEqual([403, "forbidden"]);
    expect(words).toContain(scope);
  });

  test("is open to a key with its scope alone", { timeout: 30_000 }, async () => {
    const answered = await ask(route, await subject(route), { key: key[scope] ?? "" });
    // A key hands out nothing above itself: what it may not give, it names.
    const wanted = route === "POST /v1/keys" || route === "POST /v1/keys/{id}/rotate" ? 403 : status;
    expect(answered.status, answered.words).toBe(wanted);
  });
});

/** Routes that name something, and that an admin may take: others refuse a stranger before they look. */
const NAMING = Object.entries(ROUTES).filter(([route, { least }]) => route.includes("{id}") && least !== "bootstrap");

describe.each(NAMING.map(([route]) => route))("%s", (route) => {
  test("says the same of what another tenant has and of what nobody has", async () => {
    const stranger = { key: key["stranger"] ?? "" };
    const names = await subject(route);
    const foreign = await ask(route, names, stranger);
    const absent = await ask(route, { ...names, id: absentLike(names["id"] ?? "") }, stranger);
    expect([foreign.status, codeOf(foreign.words)]).toEqual([404, "not_found"]);
    expect(foreign.words).toBe(absent.words);
  });
});

describe("an agent named in a query", () => {
  test.each(["/v1/audit", "/v1/audit/verify", "/v1/audit/export"])(
    "of %s is not found alike by a stranger, there or not",
    async (path) => {
      const { id } = await spawnDaemon({}, home);
      const caller = { key: key["stranger"] ?? "" };
      const [foreign, absent] = await Promise.all(
        [id, absentLike(id)].map((agentId) => request("GET", `${path}?agentId=${agentId}`, caller)),
      );
      expect([foreign?.status, absent?.status]).toEqual([404, 404]);
      const [one, other] = (await Promise.all([foreign?.json(), absent?.json()])) as [Problem, Problem];
      expect({ ...one, requestId: "" }).toEqual({ ...other, requestId: "" });
    },
  );
});

/** An id that the stranger's tenant could have and has not. */
function absentLike(id: string): string {
  if (id.startsWith("batch_")) {
    return newBatchId(abroad, { clock: systemClock, random: systemRandom, hash: systemHash });
  }
  if (!id.startsWith("agt_")) return `${id.slice(0, -3)}zzz`;
  return newAgentId(abroad, { clock: systemClock, random: systemRandom, hash: systemHash });
}
