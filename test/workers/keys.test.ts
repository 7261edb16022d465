import { listDurableObjectIds } from "cloudflare:test";
import { beforeAll, describe, expect, test, vi } from "vitest";
import type { Listing } from "../../durable-objects/agent/rpc.ts";
import { KeyRing } from "../../workers/api/key-ring.ts";
import type { IssuedKey, KeyView } from "../../workers/api/registry/keys.ts";
import type { TenantView } from "../../workers/api/registry/tenants.ts";
import { TestClock } from "../support/ports.ts";
import { bindings, boot, json, problem, request, spawnDaemon } from "./kernel-client.ts";
import { newKey, newTenant } from "./key-holders.ts";

beforeAll(boot);

const actionsOf = async (tenant: string) => {
  const { items } = await json<Listing<{ action: string; actor: string; data: Record<string, string> }>>(
    200,
    "GET",
    "/v1/audit?limit=200",
    { tenant },
  );
  return items.map(({ action, actor, data }) => ({ action, actor, keyId: data["keyId"] }));
};

describe("a key", () => {
  test("is 256 random bits, opens its own tenant, and is shown once", async () => {
    const tenantId = await newTenant();
    const made = await newKey("operator", tenantId, { name: "ci", expiresAt: "2999-01-01T01:00:00+01:00" });
    expect(made.key).toMatch(/^aos_[A-Za-z0-9_-]{43}$/);
    const { key, ...view } = made;
    expect(view).toEqual({
      id: expect.stringMatching(/^key_/),
      tenantId,
      role: "operator",
      name: "ci",
      createdAt: expect.stringMatching(/Z$/),
      expiresAt: "2999-01-01T00:00:00.000Z",
      revokedAt: null,
      lastUsedAt: null,
      requestsPerMinute: null,
      scopes: null,
      replacedBy: null,
    });
    const body = { name: "theirs", role: "r", goal: "g", daemon: true };
    await json(201, "POST", "/v1/agents", { key, body });
    expect(await json(200, "GET", "/v1/agents?name=theirs", { tenant: tenantId })).toMatchObject({ items: [{}] });
    expect(await json(200, "GET", "/v1/agents?name=theirs")).toMatchObject({ items: [] });

    const listed = await (await request("GET", `/v1/keys?tenantId=${tenantId}`)).text();
    expect(listed).toContain(view.id);
    expect(listed).not.toContain(key);
    expect(listed).not.toMatch(/sha256|"key"/);
  });

  test("is stored as a hash only, also where its first answer is kept", async () => {
    const tenantId = await newTenant();
    const headers = { "Idempotency-Key": "stored" };
    const { key } = await json<IssuedKey>(201, "POST", "/v1/keys", { body: { role: "viewer", tenantId }, headers });
    const rows = await Promise.all(
      ["api_keys", "idempotency"].map((table) => bindings.DB.prepare(`SELECT * FROM ${table}`).all()),
    );
    expect(rows.map(({ results }) => results.length)).not.toContain(0);
    expect(JSON.stringify(rows)).not.toContain(key);
  });

  test("acts under its own name: the log says which key it was", async () => {
    const tenantId = await newTenant();
    const admin = await newKey("admin", tenantId);
    const second = await json<IssuedKey>(201, "POST", "/v1/keys", { key: admin.key, body: { role: "viewer" } });
    expect(second.tenantId).toBe(tenantId);
    expect(await actionsOf(tenantId)).toEqual([
      { action: "tenant.create", actor: "key:bootstrap", keyId: undefined },
      { action: "key.create", actor: "key:bootstrap", keyId: admin.id },
      { action: "key.create", actor: `key:${admin.id}`, keyId: second.id },
    ]);
  });

  test("says when it was last used, to the hour", async () => {
    const { id, key } = await newKey("viewer", "default");
    const before = Date.now();
    await json(200, "GET", "/v1/agents", { key });
    await vi.waitFor(async () => {
      const { items } = await json<Listing<KeyView>>(200, "GET", "/v1/keys?limit=200&tenantId=default");
      const lastUsedAt = items.find((item) => item.id === id)?.lastUsedAt;
      expect(Date.parse(lastUsedAt ?? "")).toBeGreaterThanOrEqual(before);
    });
  });

  test("of a tenant that is not there is 422, and its core is not woken", async () => {
    const document = await problem(422, "invalid_input", "POST", "/v1/keys", {
      body: { role: "viewer", tenantId: "nobody" },
    });
    expect(document.errors?.[0]?.path).toBe("$.tenantId");
    const cores = (await listDurableObjectIds(bindings.CORES)).map(String);
    expect(cores).not.toContain(String(bindings.CORES.idFromName("nobody")));
  });

  test("of another tenant is made and listed by nobody but the bootstrap key", async () => {
    const { key } = await newKey("admin", await newTenant());
    const body = { role: "viewer", tenantId: "default" };
    await problem(403, "forbidden", "POST", "/v1/keys", { key, body });
    await problem(403, "forbidden", "POST", "/v1/keys", { key, body: { ...body, tenantId: "nobody" } });
    await problem(403, "forbidden", "GET", "/v1/keys?tenantId=default", { key });
  });

  test.each([
    [{ role: "root" }, "$.role"],
    [{ role: "bootstrap" }, "$.role"],
    [{ role: "viewer", expiresAt: "2020-01-01T00:00:00Z" }, "$.expiresAt"],
    [{ role: "viewer", expiresAt: "soon" }, "$.expiresAt"],
    [{ role: "viewer", requestsPerMinute: 0 }, "$.requestsPerMinute"],
    [{ role: "viewer", key: "mine" }, "$.key"],
  ])("asked for as %j is 422", async (body, path) => {
    const { errors } = await problem(422, "invalid_input", "POST", "/v1/keys", { body });
    expect(errors?.[0]?.path).toBe(path);
  });

  test("is listed a page at a time", async () => {
    const tenantId = await newTenant();
    const { key } = await newKey("admin", tenantId);
    await newKey("viewer", tenantId);
    const first = await json<Listing<KeyView>>(200, "GET", "/v1/keys?limit=1", { key });
    const rest = await json<Listing<KeyView>>(200, "GET", `/v1/keys?limit=1&cursor=${first.nextCursor}`, { key });
    expect([first.items[0]?.role, rest.items[0]?.role, rest.nextCursor]).toEqual(["admin", "viewer", null]);
  });
});

describe("revoking a key", () => {
  test("answers when no isolate can trust it any more", { timeout: 30_000 }, async () => {
    const { id, key } = await newKey("viewer", await newTenant());
    await json(200, "GET", "/v1/agents", { key });
    const started = Date.now();
    const revoked = request("DELETE", `/v1/keys/${id}`);
    expect((await revoked).status).toBe(204);
    expect(Date.now() - started).toBeGreaterThanOrEqual(5_000);
    await problem(401, "unauthorized", "GET", "/v1/agents", { key });
  });

  test("a second time waits as long, and the list says when the first was", { timeout: 30_000 }, async () => {
    const { id, tenantId } = await newKey("viewer", await newTenant());
    expect((await request("DELETE", `/v1/keys/${id}`)).status).toBe(204);
    const read = () => json<Listing<KeyView>>(200, "GET", `/v1/keys?tenantId=${tenantId}`);
    const { revokedAt } = (await read()).items[0] ?? {};
    expect(revokedAt).toMatch(/Z$/);
    const started = Date.now();
    expect((await request("DELETE", `/v1/keys/${id}`)).status).toBe(204);
    expect(Date.now() - started).toBeGreaterThanOrEqual(5_000);
    expect((await read()).items[0]?.revokedAt).toBe(revokedAt);
    const revocations = (await actionsOf(tenantId)).filter(({ action }) => action === "key.revoke");
    expect(revocations).toEqual([{ action: "key.revoke", actor: "key:bootstrap", keyId: id }]);
  });

  test("that is not there is 404 at once", async () => {
    await problem(404, "not_found", "DELETE", "/v1/keys/key_nobody");
  });
});

describe("rotating a key", () => {
  const rotate = (id: string, call: object = {}) =>
    json<IssuedKey>(201, "POST", `/v1/keys/${id}/rotate`, { body: {}, ...call });

  test("answers when the old one opens nothing any more, and the new one does what it did", async () => {
    const old = await newKey("operator", await newTenant(), { name: "ci", scopes: ["agents:read"] });
    await json(200, "GET", "/v1/agents", { key: old.key });
    const { key, ...view } = await rotate(old.id);
    const { key: _, id, ...before } = old;
    expect(view).toEqual({ ...before, id: view.id, createdAt: view.createdAt });
    await problem(401, "unauthorized", "GET", "/v1/agents", { key: old.key });
    await json(200, "GET", "/v1/agents", { key });
    await problem(403, "forbidden", "GET", "/v1/costs", { key });
    expect((await actionsOf(old.tenantId)).at(-1)).toMatchObject({ action: "key.rotate", keyId: id });
  });

  test("with an overlap lets both work, and the old one until then", async () => {
    const old = await newKey("viewer", await newTenant());
    const started = Date.now();
    const { id, key } = await rotate(old.id, { body: { overlapSeconds: 600 } });
    await json(200, "GET", "/v1/agents", { key: old.key });
    await json(200, "GET", "/v1/agents", { key });
    const { items } = await json<Listing<KeyView>>(200, "GET", `/v1/keys?tenantId=${old.tenantId}`);
    const { replacedBy, expiresAt } = items.find((item) => item.id === old.id) ?? {};
    expect(replacedBy).toBe(id);
    expect(Math.abs(Date.parse(expiresAt ?? "") - started - 600_000)).toBeLessThan(60_000);
    await bindings.DB.prepare("UPDATE api_keys SET expires_at = ? WHERE id = ?").bind(Date.now(), old.id).run();
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await problem(401, "unauthorized", "GET", "/v1/agents", { key: old.key });
  });

  test("makes one successor, however often and by however many it is asked", async () => {
    const old = await newKey("viewer", await newTenant());
    const body = { overlapSeconds: 600 };
    const headers = { "Idempotency-Key": "turn" };
    const first = await rotate(old.id, { body, headers });
    expect(await rotate(old.id, { body, headers })).toEqual(first);
    await problem(409, "conflict", "POST", `/v1/keys/${old.id}/rotate`, { body });
    const race = await newKey("viewer", old.tenantId);
    const replies = await Promise.all(
      Array.from({ length: 6 }, () => request("POST", `/v1/keys/${race.id}/rotate`, { body })),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
  });

  test("of a revoked or an expired one is refused, and never shortens or lengthens what an expiry said", async () => {
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const brief = await newKey("viewer", await newTenant(), { expiresAt });
    const next = await rotate(brief.id, { body: { overlapSeconds: 600 } });
    expect(next.expiresAt).toBe(expiresAt);
    const { items } = await json<Listing<KeyView>>(200, "GET", `/v1/keys?tenantId=${brief.tenantId}`);
    expect(items.map((item) => item.expiresAt)).toEqual([expiresAt, expiresAt]);
    await bindings.DB.prepare("UPDATE api_keys SET expires_at = 1 WHERE id = ?").bind(next.id).run();
    await problem(409, "conflict", "POST", `/v1/keys/${next.id}/rotate`, { body: {} });
  });
});

describe("a key with scopes", () => {
  test("hands out no scope that it has not, neither by a new key nor by a rotated one", async () => {
    const tenantId = await newTenant();
    const { key } = await newKey("admin", tenantId, { scopes: ["keys:write", "agents:read", "agents:read"] });
    const make = (scopes?: string[]) => ({ key, body: { role: "viewer", ...(scopes && { scopes }) } });
    await problem(403, "forbidden", "POST", "/v1/keys", make());
    await problem(403, "forbidden", "POST", "/v1/keys", make(["agents:read", "llm"]));
    const made = await json<IssuedKey>(201, "POST", "/v1/keys", make(["agents:read"]));
    expect(made.scopes).toEqual(["agents:read"]);
    const wide = await newKey("viewer", tenantId);
    await problem(403, "forbidden", "POST", `/v1/keys/${wide.id}/rotate`, { key, body: {} });
    await problem(422, "invalid_input", "POST", "/v1/keys", { body: { role: "viewer", scopes: ["root"] } });
    await problem(422, "invalid_input", "POST", "/v1/keys", { body: { role: "viewer", scopes: [] } });
  });

  test("of the front alone reaches models, and no agent through them", async () => {
    const tenantId = await newTenant();
    const { id } = await spawnDaemon({}, tenantId);
    const ask = (key: string, model: string) => {
      const body = { model, messages: [{ role: "user", content: "2+2?" }] };
      return request("POST", "/v1/chat/completions", { key, body });
    };
    const front = await newKey("operator", tenantId, { scopes: ["llm"] });
    expect((await ask(front.key, "local/reader")).status).toBe(200);
    expect((await ask(front.key, `agent/${id}`)).status).toBe(403);
    const both = await newKey("operator", tenantId, { scopes: ["llm", "agents:write"] });
    expect((await ask(both.key, `agent/${id}`)).status).toBe(200);
  });
});

describe("an Idempotency-Key", () => {
  const post = (path: string, body: object, headers: Record<string, string>, key?: string) =>
    request("POST", path, { body, headers, ...(key !== undefined && { key }) });

  test("makes one key, whose first answer is replayed with the key in it", async () => {
    const tenantId = await newTenant();
    const body = { role: "viewer", tenantId };
    const headers = { "Idempotency-Key": "one" };
    const replies = await Promise.all(Array.from({ length: 8 }, () => post("/v1/keys", body, headers)));
    replies.push(await post("/v1/keys", body, headers));
    expect(replies.map(({ status }) => status)).toEqual(Array(9).fill(201));
    const made = await Promise.all(replies.map((reply) => reply.json<IssuedKey>()));
    expect(new Set(made.map(({ key }) => key)).size).toBe(1);
    await json(200, "GET", "/v1/agents", { key: made[0]?.key ?? "" });
    expect((await json<Listing<KeyView>>(200, "GET", `/v1/keys?tenantId=${tenantId}`)).items.length).toBe(1);
    await problem(422, "idempotency_mismatch", "POST", "/v1/keys", { body: { ...body, role: "admin" }, headers });
  });

  test("is its caller's own: another admin of the tenant gets its own key", async () => {
    const tenantId = await newTenant();
    const [one, other] = [await newKey("admin", tenantId), await newKey("admin", tenantId)];
    const headers = { "Idempotency-Key": "same" };
    const [first, second] = await Promise.all(
      [one, other].map(({ key }) =>
        json<IssuedKey>(201, "POST", "/v1/keys", { key, body: { role: "viewer" }, headers }),
      ),
    );
    expect(first?.id).not.toBe(second?.id);
  });

  test("makes one tenant", async () => {
    const headers = { "Idempotency-Key": "tenant" };
    const [first, again] = [
      await json<TenantView>(201, "POST", "/v1/tenants", { body: { name: "once" }, headers }),
      await json<TenantView>(201, "POST", "/v1/tenants", { body: { name: "once" }, headers }),
    ];
    expect(again).toEqual(first);
    await problem(422, "idempotency_mismatch", "POST", "/v1/tenants", { body: { name: "twice" }, headers });
  });
});

describe("a tenant", () => {
  test("is listed to the bootstrap key, and to its own keys alone", async () => {
    const tenantId = await newTenant("Globex 株式会社");
    const { key } = await newKey("viewer", tenantId);
    const own = await json<Listing<TenantView>>(200, "GET", "/v1/tenants", { key });
    expect(own.items).toMatchObject([{ id: tenantId, name: "Globex 株式会社" }]);
    const all = await json<Listing<TenantView>>(200, "GET", "/v1/tenants?limit=200");
    expect(all.items.map(({ id }) => id)).toEqual(expect.arrayContaining(["default", tenantId]));
  });

  test("is not removed while it has live keys or agents; its dead keys go with it", { timeout: 30_000 }, async () => {
    const tenantId = await newTenant();
    const { id, key } = await newKey("operator", tenantId);
    await problem(409, "conflict", "DELETE", `/v1/tenants/${tenantId}`);
    const agent = await spawnDaemon({}, tenantId);
    expect((await request("DELETE", `/v1/keys/${id}`)).status).toBe(204);
    await problem(409, "conflict", "DELETE", `/v1/tenants/${tenantId}`);
    await json(202, "DELETE", `/v1/agents/${agent.id}`, { tenant: tenantId });
    expect((await request("DELETE", `/v1/tenants/${tenantId}`)).status).toBe(204);
    await problem(404, "not_found", "DELETE", `/v1/tenants/${tenantId}`);
    await problem(401, "unauthorized", "GET", "/v1/agents", { key });
    expect(await json(200, "GET", `/v1/keys?tenantId=${tenantId}`)).toMatchObject({ items: [] });
    expect((await actionsOf(tenantId)).at(-1)).toMatchObject({ action: "tenant.delete" });
  });

  test("named default stays", async () => {
    await problem(409, "conflict", "DELETE", "/v1/tenants/default");
  });
});

describe("the key ring", () => {
  const never = () => {};

  test("asks D1 once in four seconds, and after that it sees a revocation", async () => {
    const { id, key } = await newKey("viewer", "default");
    const clock = new TestClock(Date.now());
    const ring = new KeyRing(clock);
    const find = () => ring.find(key, bindings.DB, never);
    expect(await find()).toMatchObject({ ok: true, value: { id, role: "viewer" } });
    await bindings.DB.prepare("UPDATE api_keys SET revoked_at = 1 WHERE id = ?").bind(id).run();
    clock.advance(3_999);
    expect(await find()).toMatchObject({ value: { id } });
    clock.advance(1);
    expect(await find()).toEqual({ ok: true, value: null });
  });

  test("does not hold an expired key for a moment longer", async () => {
    const clock = new TestClock(Date.now());
    const expiresAt = new Date(clock.now() + 60_000).toISOString();
    const { key } = await newKey("viewer", "default", { expiresAt });
    clock.advance(59_000);
    const ring = new KeyRing(clock);
    expect(await ring.find(key, bindings.DB, never)).toMatchObject({ value: { role: "viewer" } });
    clock.advance(1_000);
    expect(await ring.find(key, bindings.DB, never)).toEqual({ ok: true, value: null });
  });

  test("does not ask D1 about what can be no key", async () => {
    const broken = { prepare: () => expect.unreachable() } as unknown as D1Database;
    expect(await new KeyRing(new TestClock()).find("password", broken, never)).toEqual({ ok: true, value: null });
  });
});
