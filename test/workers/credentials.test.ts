import { beforeAll, describe, expect, test } from "vitest";
import type { Listing } from "../../durable-objects/agent/rpc.ts";
import { agentCredentials } from "../../durable-objects/credentials/agent-credentials.ts";
import type { CredentialView } from "../../durable-objects/credentials/credentials.ts";
import { bindings, boot, json, problem, request } from "./kernel-client.ts";
import { newKey, newTenant } from "./key-holders.ts";

const SECRET = "the-secret-of-the-lighthouse";
const tide = { name: "tide", value: SECRET, hosts: ["api.example.com", "*.tide.example.com:8443"] };
const NEW_KEY = "another-key-that-seals-the-secrets-of-tests";

beforeAll(boot);

const store = (tenant: string, body: object = tide, headers: Record<string, string> = {}) =>
  json<CredentialView>(201, "POST", "/v1/credentials", { tenant, body, headers });
const open = (tenant: string, name = "tide") => agentCredentials(bindings, tenant).open(name);

/** Every row of the table and of what is remembered of requests, as text. */
async function stored(): Promise<string> {
  const tables = ["credentials", "idempotency"].map((table) => bindings.DB.prepare(`SELECT * FROM ${table}`).all());
  return JSON.stringify((await Promise.all(tables)).map(({ results }) => results));
}

describe("a credential", () => {
  test("is shown by name, hosts and fingerprint, and its secret nowhere", async () => {
    const tenant = await newTenant();
    const made = await store(tenant, tide, { "Idempotency-Key": "once" });
    expect(made).toEqual({
      name: "tide",
      hosts: tide.hosts,
      version: 1,
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      createdAt: expect.stringMatching(/Z$/),
      lastUsedAt: null,
    });
    const { items } = await json<Listing<CredentialView>>(200, "GET", "/v1/credentials", { tenant });
    expect(items).toEqual([made]);
    const audit = await json<Listing<object>>(200, "GET", "/v1/audit?limit=200", { tenant });
    expect(audit.items.at(-1)).toMatchObject({ action: "credential.store" });
    expect(JSON.stringify(audit.items.at(-1))).toContain('"tide"');
    for (const text of [JSON.stringify([made, items, audit]), await stored()]) {
      expect(text).not.toContain(SECRET);
      expect(text).not.toContain(Buffer.from(SECRET).toString("base64url").slice(0, 32));
    }
  });

  test("opens for its own tenant, as headers for its hosts", async () => {
    const [tenant, other] = [await newTenant(), await newTenant()];
    await store(tenant);
    const opened = await open(tenant);
    expect(opened).toMatchObject({ ok: true, value: { headers: { authorization: `Bearer ${SECRET}` } } });
    const reaches = (url: string) => opened.ok && opened.value.hosts.matches(new URL(url));
    expect(reaches("https://api.example.com/x")).toBe(true);
    expect(reaches("https://a.tide.example.com:8443/")).toBe(true);
    for (const url of [
      "https://tide.example.com:8443/",
      "https://a.tide.example.com/",
      "https://api.example.com.evil/",
    ])
      expect(reaches(url), url).toBe(false);
    expect(await open(other)).toMatchObject({ error: { code: "not_found" } });
    const { items } = await json<Listing<CredentialView>>(200, "GET", "/v1/credentials", { tenant });
    expect(items[0]?.lastUsedAt).toMatch(/Z$/);
  });

  test("is replaced whole, and opens nothing when somebody moves or edits its row", async () => {
    const [tenant, other] = [await newTenant(), await newTenant()];
    const first = await store(tenant);
    const headers = { "X-Api-Key": "another-secret", "X-Account": "the-harbour" };
    const second = await store(tenant, { name: "tide", headers, hosts: ["api.example.org"] });
    expect([first.version, second.version]).toEqual([1, 2]);
    expect(second.fingerprint).not.toBe(first.fingerprint);
    const opened = await open(tenant);
    expect(opened).toMatchObject({ value: { headers: { "x-api-key": "another-secret", "x-account": "the-harbour" } } });
    const tamper = (statement: string) => bindings.DB.prepare(statement).bind(tenant).run();
    await tamper(`UPDATE credentials SET hosts = '["evil.example.com"]' WHERE tenant = ?`);
    expect(await open(tenant)).toMatchObject({ error: { code: "tool_unavailable" } });
    await store(tenant);
    await bindings.DB.prepare("UPDATE credentials SET tenant = ? WHERE tenant = ?").bind(other, tenant).run();
    expect(await open(other)).toMatchObject({ error: { code: "tool_unavailable" } });
  });

  test("that was removed opens nothing from then on, and goes with its tenant", async () => {
    const tenant = await newTenant();
    await store(tenant);
    expect((await request("DELETE", "/v1/credentials/tide", { tenant })).status).toBe(204);
    expect(await open(tenant)).toMatchObject({ error: { code: "not_found" } });
    await problem(404, "not_found", "DELETE", "/v1/credentials/tide", { tenant });
    await store(tenant);
    expect((await request("DELETE", `/v1/tenants/${tenant}`)).status).toBe(204);
    const left = bindings.DB.prepare("SELECT COUNT(*) AS n FROM credentials WHERE tenant = ?").bind(tenant);
    expect(await left.first()).toEqual({ n: 0 });
  });

  test("is stored once for one Idempotency-Key, and another value is another request", async () => {
    const tenant = await newTenant();
    const headers = { "Idempotency-Key": "turn" };
    const replies = await Promise.all(Array.from({ length: 5 }, () => store(tenant, tide, headers)));
    expect(new Set(replies.map((reply) => JSON.stringify(reply))).size).toBe(1);
    const body = { ...tide, value: "another-secret" };
    await problem(422, "idempotency_mismatch", "POST", "/v1/credentials", { tenant, body, headers });
  });

  test.each([
    ["no secret", { value: undefined }],
    ["two", { headers: { "X-Api-Key": "another-secret" } }],
    ["a short one", { value: "short" }],
    ["a secret with a line break", { value: "the-secret\nx-b: 2" }],
    ["a header of the kernel's", { value: undefined, headers: { Host: "evil.example.com" } }],
    ["no hosts", { hosts: [] }],
    ["all hosts", { hosts: ["*"] }],
    ["a name with a slash", { name: "a/b" }],
  ])("with %s is 422, and the reply does not repeat it", async (_, change) => {
    const reply = await problem(422, "invalid_input", "POST", "/v1/credentials", { body: { ...tide, ...change } });
    expect(JSON.stringify(reply)).not.toContain(SECRET);
  });
});

describe("the key that seals them", () => {
  const withKeys = async <T>(present: string | undefined, previous: string | undefined, work: () => Promise<T>) => {
    const { AOS_SECRETS_KEY: before } = bindings;
    const set = (name: "AOS_SECRETS_KEY" | "AOS_SECRETS_KEY_PREVIOUS", key: string | undefined) =>
      key === undefined ? delete bindings[name] : Object.assign(bindings, { [name]: key });
    set("AOS_SECRETS_KEY", present);
    set("AOS_SECRETS_KEY_PREVIOUS", previous);
    try {
      return await work();
    } finally {
      set("AOS_SECRETS_KEY", before);
      set("AOS_SECRETS_KEY_PREVIOUS", undefined);
    }
  };

  test("is named where it is missing", async () => {
    await withKeys(undefined, undefined, async () => {
      const { detail } = await problem(503, "unavailable", "POST", "/v1/credentials", { body: tide });
      expect(detail).toContain("AOS_SECRETS_KEY");
      const opened = await open("default");
      expect(opened).toMatchObject({ error: { code: "tool_unavailable" } });
    });
  });

  test("is rotated: the one before opens until all is sealed anew, by use or by order", async () => {
    const tenant = await newTenant();
    const old = bindings.AOS_SECRETS_KEY;
    for (const name of ["used", "unused"]) await store(tenant, { ...tide, name });
    await withKeys(NEW_KEY, undefined, async () => {
      expect(await open(tenant, "used")).toMatchObject({ error: { code: "tool_unavailable" } });
      expect(await json(200, "POST", "/v1/credentials/reseal", { tenant })).toEqual({ resealed: 0, lost: 2 });
    });
    await withKeys(NEW_KEY, old, async () => {
      expect(await open(tenant, "used")).toMatchObject({ ok: true });
      expect(await json(200, "POST", "/v1/credentials/reseal", { tenant })).toEqual({ resealed: 1, lost: 0 });
    });
    await withKeys(NEW_KEY, undefined, async () => {
      for (const name of ["used", "unused"]) expect(await open(tenant, name)).toMatchObject({ ok: true });
    });
  });
});

test("a viewer neither sees nor changes them, and a scope opens them alone", async () => {
  const tenant = await newTenant();
  const { key } = await newKey("viewer", tenant);
  await problem(403, "forbidden", "GET", "/v1/credentials", { key });
  const keeper = await newKey("operator", tenant, { scopes: ["credentials:write"] });
  await json(201, "POST", "/v1/credentials", { key: keeper.key, body: tide });
  await problem(403, "forbidden", "GET", "/v1/agents", { key: keeper.key });
});
