import { beforeAll, describe, expect, test } from "vitest";
import type { Listing } from "../../durable-objects/agent/rpc.ts";
import type { ControlBlock } from "../../kernel/process/block.ts";
import { eventually } from "../support/tenant.ts";
import { boot, json, problem, request, spawnDaemon } from "./kernel-client.ts";
import { newKey, newTenant } from "./key-holders.ts";

type Quotas = { quotas: Record<string, { limit: number; used: number; reserved: number; per: string }> };

beforeAll(boot);

const set = (tenant: string, body: object) => json<Quotas>(200, "PUT", "/v1/quotas", { tenant, body });
const read = (tenant: string) => json<Quotas>(200, "GET", "/v1/quotas", { tenant });
const asking = (tenant: string, id: string) =>
  json(202, "POST", `/v1/agents/${id}/messages`, { tenant, body: { content: "What is 6 * 7?" } });
const settled = (tenant: string, id: string) =>
  json<ControlBlock>(200, "GET", `/v1/agents/${id}/wait?timeout=15`, { tenant });

describe("the tenant's quotas", () => {
  test("are what was put last, and nothing else", async () => {
    const tenant = await newTenant();
    expect(await read(tenant)).toEqual({ quotas: {} });
    const quotas = { tokens: 1_000_000, nanoUsd: { limit: 5_000, per: "day" } };
    const both = {
      tokens: { limit: 1_000_000, used: 0, reserved: 0, per: "total" },
      nanoUsd: { limit: 5_000, used: 0, reserved: 0, per: "day" },
    };
    expect(await set(tenant, { quotas })).toEqual({ quotas: both });
    expect(await read(tenant)).toEqual({ quotas: both });
    expect(await set(tenant, { steps: 7 })).toMatchObject({ quotas: { steps: { limit: 7 } } });
    expect(Object.keys((await read(tenant)).quotas)).toEqual(["steps"]);
    expect(await set(tenant, {})).toEqual({ quotas: {} });
  });

  test("of one tenant are not those of another", async () => {
    const [one, other] = [await newTenant(), await newTenant()];
    await set(one, { quotas: { steps: 1 } });
    expect(await read(other)).toEqual({ quotas: {} });
  });

  test("are in the audit trail, with who set them", async () => {
    const tenant = await newTenant();
    await set(tenant, { quotas: { steps: 3 } });
    const { items } = await json<Listing<object>>(200, "GET", "/v1/audit?action=quota.set", { tenant });
    expect(items).toMatchObject([{ actor: "key:bootstrap", data: { quotas: { steps: 3 } } }]);
  });

  test("keep what was used when a limit changes, and count what agents use", async () => {
    const tenant = await newTenant();
    await set(tenant, { quotas: { steps: 100 } });
    const { id } = await spawnDaemon({}, tenant);
    await settled(tenant, id);
    const { used, reserved } = (await read(tenant)).quotas["steps"] ?? { used: -1, reserved: -1 };
    expect(used).toBeGreaterThan(0);
    expect(reserved).toBe(0);
    expect(await set(tenant, { quotas: { steps: 200 } })).toMatchObject({ quotas: { steps: { limit: 200, used } } });
  });

  test("stop agents when they are spent, and let them go on when they are raised", async () => {
    const tenant = await newTenant();
    const { id } = await spawnDaemon({}, tenant);
    await settled(tenant, id);
    await set(tenant, { quotas: { steps: 0 } });
    await asking(tenant, id);
    expect(await settled(tenant, id)).toMatchObject({ state: "waiting", waitReason: "quota" });
    await set(tenant, { quotas: { steps: 1 } });
    expect(await settled(tenant, id)).toMatchObject({ state: "waiting", waitReason: "quota" });
    expect((await read(tenant)).quotas["steps"]).toMatchObject({ limit: 1, used: 1, reserved: 0 });
    await set(tenant, {});
    expect(await settled(tenant, id)).toMatchObject({ state: "waiting", waitReason: "message" });
  });

  test.each([
    [{ quotas: { gold: 1 } }, "$.quotas.gold"],
    [{ quotas: { tokens: -1 } }, "$.quotas.tokens"],
    [{ quotas: { requestsPerMinute: 0 } }, "$.quotas.requestsPerMinute"],
    [{ tokens: "many" }, "$.tokens"],
  ])("put as %j are 422", async (body, path) => {
    const { errors } = await problem(422, "invalid_input", "PUT", "/v1/quotas", { body });
    expect(errors?.[0]?.path).toBe(path);
  });
});

describe("a key's quotas", () => {
  let asked = 0;
  /** Another question each time: what the cache answers costs nothing. */
  const chat = (key: string) =>
    request("POST", "/v1/chat/completions", {
      key,
      body: { model: "local/reader", messages: [{ role: "user", content: `What is 6 * ${asked++}?` }] },
    });

  test("bound its own calls, and nobody else's", async () => {
    const tenant = await newTenant();
    const [bounded, other] = [await newKey("operator", tenant), await newKey("operator", tenant)];
    const path = `/v1/quotas?keyId=${bounded.id}`;
    expect(await json(200, "GET", path, { tenant })).toEqual({ quotas: {} });
    await json(200, "PUT", path, { tenant, body: { steps: 1 } });
    expect((await chat(bounded.key)).status).toBe(200);
    expect((await chat(bounded.key)).status).toBe(429);
    expect((await chat(other.key)).status).toBe(200);
    expect(await json<Quotas>(200, "GET", path, { tenant })).toMatchObject({
      quotas: { steps: { limit: 1, used: 1 } },
    });
    expect(await read(tenant)).toEqual({ quotas: {} });
  });

  test("bound all processes that it had spawned, which wait until it is raised", { timeout: 40_000 }, async () => {
    const tenant = await newTenant();
    const key = await newKey("operator", tenant);
    const path = `/v1/quotas?keyId=${key.id}`;
    await json(200, "PUT", path, { tenant, body: { steps: 0 } });
    const body = { name: "Sum", role: "clerk", goal: "What is 6 * 7?", model: "local/reader" };
    const spawned = await json<{ id: string }>(201, "POST", "/v1/agents", { key: key.key, body });
    const free = await json<{ id: string }>(201, "POST", "/v1/agents", { tenant, body });
    expect(await settled(tenant, spawned.id)).toMatchObject({ state: "waiting", waitReason: "quota" });
    expect(await settled(tenant, free.id)).toMatchObject({ state: "terminated" });
    await json(200, "PUT", path, { tenant, body: { steps: 100 } });
    const done = () => json<ControlBlock>(200, "GET", `/v1/agents/${spawned.id}`, { tenant });
    expect(await eventually(done, ({ state }) => state === "terminated")).toMatchObject({ exit: { code: 0 } });
    const { quotas } = await json<Quotas>(200, "GET", path, { tenant });
    expect(quotas["steps"]).toMatchObject({ reserved: 0, limit: 100 });
    expect(quotas["steps"]?.used).toBeGreaterThan(0);
  });

  test("count what it used before they were set", async () => {
    const tenant = await newTenant();
    const key = await newKey("operator", tenant);
    expect((await chat(key.key)).status).toBe(200);
    const set = await json<Quotas>(200, "PUT", `/v1/quotas?keyId=${key.id}`, { tenant, body: { steps: 5 } });
    expect(set).toMatchObject({ quotas: { steps: { limit: 5, used: 1 } } });
  });

  test("are those of model calls, of a key of this tenant", async () => {
    const [tenant, abroad] = [await newTenant(), await newTenant()];
    const key = await newKey("operator", tenant);
    const path = `/v1/quotas?keyId=${key.id}`;
    const refused = await problem(422, "invalid_input", "PUT", path, { tenant, body: { pages: 5 } });
    expect(refused.errors).toEqual([{ path: "$.quotas.pages", message: expect.stringContaining("tokens") }]);
    await problem(404, "not_found", "PUT", path, { tenant: abroad, body: { steps: 5 } });
    await problem(404, "not_found", "GET", path, { tenant: abroad });
  });
});
