import { expect } from "vitest";
import { systemClock, systemHash, systemRandom } from "../../../durable-objects/ports.ts";
import { newAgentId, newBatchId } from "../../../kernel/id.ts";
import { eventually } from "../../support/tenant.ts";
import { json, request, spawnDaemon } from "../../workers/kernel-client.ts";
import { newKey, newTenant } from "../../workers/key-holders.ts";

/** Something of everything that a tenant can have, and how all of it stands. */

/** Names of what paths, queries and bodies name. */
export const KINDS = [
  "agent",
  "message",
  "page",
  "file",
  "approval",
  "rule",
  "batch",
  "key",
  "credential",
  "call",
  "tenant",
] as const;
export type Kind = (typeof KINDS)[number];

export const SAME_BODY = { name: "same", role: "keeper", goal: "Wait.", model: "local/reader", daemon: true };
export const IDEMPOTENCY_KEY = "the-household-spawns";

export interface Household {
  tenant: string;
  /** Stands in every text that it owns: no stranger's reply may hold it. */
  mark: string;
  /** An admin's. */
  key: string;
  ids: Record<Kind, string>;
  /** Of its lists, by path and query. */
  cursors: Record<string, string>;
}

export async function household(mark: string): Promise<Household> {
  const tenant = await newTenant(mark);
  const { key } = await newKey("admin", tenant);
  const { id: agent } = await spawnDaemon({ name: mark, goal: `Answer about the ${mark}.` }, tenant);
  const at = { tenant };
  const ask = { ...at, body: { content: `Where is the ${mark}?`, wait: 20 } };
  const { messageId: message } = await json<{ messageId: string }>(200, "POST", `/v1/agents/${agent}/messages`, ask);
  const text = { ...at, body: { content: `The ${mark} is on the cliff.` } };
  const { pages } = await json<{ pages: { id: string }[] }>(201, "POST", `/v1/agents/${agent}/pages`, text);
  const file = `${mark}.txt`;
  for (const path of [file, `shared/${file}`]) {
    expect((await request("PUT", `/v1/agents/${agent}/files/${path}`, { ...at, raw: mark })).ok).toBe(true);
  }
  const rule = { decision: "deny", scope: "tenant", tool: "exit", for: "tool" };
  const credential = { name: mark, value: `secret-of-${mark}`, hosts: ["api.example.com"] };
  await json(201, "POST", "/v1/credentials", { ...at, body: credential });
  const headers = { "Idempotency-Key": IDEMPOTENCY_KEY };
  await json(201, "POST", "/v1/agents", { ...at, body: SAME_BODY, headers });
  const ids = {
    agent,
    message,
    page: pages[0]?.id ?? "",
    file,
    approval: await openQuestion(tenant, mark),
    rule: (await json<{ id: string }>(201, "POST", "/v1/approval-rules", { ...at, body: rule })).id,
    batch: await endedBatch(tenant, mark),
    key: (await newKey("viewer", tenant, { name: mark })).id,
    credential: mark,
    call: await settledCall(tenant),
    tenant,
  };
  // Rows in D1 of what the core has done, under a name that every tenant's core has.
  expect((await request("POST", "/v1/audit/checkpoints", at)).status).toBe(204);
  return { tenant, mark, key, ids, cursors: await cursorsOf(tenant, agent) };
}

async function openQuestion(tenant: string, mark: string): Promise<string> {
  const body = { name: mark, role: "r", goal: `Ask a person: which colour is the ${mark}?`, model: "local/reader" };
  await json(201, "POST", "/v1/agents", { tenant, body });
  const list = () => json<{ items: { id: string }[] }>(200, "GET", "/v1/approvals?state=open", { tenant });
  return (await eventually(list, ({ items }) => items.length > 0)).items[0]?.id ?? "";
}

async function endedBatch(tenant: string, mark: string): Promise<string> {
  const body = { requests: [{ customId: mark, model: "local/reader", messages: [{ role: "user", content: mark }] }] };
  const { id } = await json<{ id: string }>(201, "POST", "/v1/batches", { tenant, body });
  await eventually(
    () => json<{ state: string }>(200, "GET", `/v1/batches/${id}`, { tenant }),
    ({ state }) => state === "completed",
  );
  return id;
}

async function settledCall(tenant: string): Promise<string> {
  const list = () => json<{ items: { callId: string }[] }>(200, "GET", "/v1/costs/calls", { tenant });
  return (await eventually(list, ({ items }) => items.length > 0)).items[0]?.callId ?? "";
}

const LISTS = ["/v1/agents", "/v1/keys", "/v1/audit", "/v1/costs/calls"];

async function cursorsOf(tenant: string, agent: string): Promise<Record<string, string>> {
  const lists = [...LISTS, `/v1/audit?agentId=${agent}`];
  const pairs = lists.map(async (list) => {
    const path = withQuery(list, "limit=1");
    const scope = list === "/v1/keys" ? `&tenantId=${tenant}` : "";
    const { nextCursor } = await json<{ nextCursor: string | null }>(200, "GET", path + scope, { tenant });
    return [list, nextCursor ?? ""] as const;
  });
  return Object.fromEntries((await Promise.all(pairs)).filter(([, cursor]) => cursor !== ""));
}

export function withQuery(path: string, query: string): string {
  return `${path}${path.includes("?") ? "&" : "?"}${query}`;
}

/** All that the household has, as its own lists tell it: a write by anybody shows in the chains at least. */
export async function stateOf({ tenant, ids }: Household): Promise<Record<string, unknown>> {
  const agent = `/v1/agents/${ids.agent}`;
  const paths = [
    "/v1/agents?limit=200",
    "/v1/approvals?limit=200",
    "/v1/approval-rules?limit=200",
    "/v1/batches?limit=200",
    "/v1/credentials?limit=200",
    `/v1/keys?limit=200&tenantId=${tenant}`,
    "/v1/quotas",
    "/v1/audit/verify",
    `/v1/audit/verify?agentId=${ids.agent}`,
    agent,
    `${agent}/messages?limit=200`,
    `${agent}/pages?limit=200`,
    `${agent}/files?limit=200`,
  ];
  const pairs = paths.map(async (path) => [path, unmetered(await json(200, "GET", path, { tenant }))] as const);
  return Object.fromEntries(await Promise.all(pairs));
}

/** Without what the platform counts: looking is a request too. */
function unmetered(reply: object): unknown {
  return JSON.parse(JSON.stringify(reply, (name, value: unknown) => (name === "platform" ? undefined : value)));
}

/** An id of this kind that could be one of `tenant` and is none. */
export function absentId(kind: Kind, tenant: string, like: string): string {
  const ports = { clock: systemClock, random: systemRandom, hash: systemHash };
  if (kind === "agent") return newAgentId(tenant, ports);
  if (kind === "batch") return newBatchId(tenant, ports);
  const body = crypto.randomUUID().replaceAll("-", "").slice(0, 12);
  return `${like.slice(0, -12)}${body}`;
}
