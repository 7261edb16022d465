import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { AgentProcess } from "../../durable-objects/agent/agent-process.ts";
import type { AgentCalls, AgentOrders } from "../../durable-objects/agent/rpc.ts";
import { CountingModel } from "../support/counting-model.ts";
import { eventually, patiently, TestTenant, value } from "../support/tenant.ts";

const { DB, PAGES } = env as unknown as { DB: D1Database; PAGES: R2Bucket };
const model = CountingModel.install();

const rows = (stub: DurableObjectStub, statement: string, ...parameters: (string | number)[]) =>
  patiently(() =>
    runInDurableObject(stub, (_object, { storage }) => storage.sql.exec(statement, ...parameters).toArray()),
  );

/** An agent with cold pages in R2, rows in D1, and a model call that is under way. */
async function atWork(tenant: TestTenant): Promise<string> {
  const id = await tenant.daemon({ model: "openai/test" });
  value(await tenant.agent(id).addPages({ content: "A line of the ship's log.\n".repeat(120_000) }, "key:test"));
  await eventually(
    async () => (await rowsOfD1(tenant, id)).segments,
    (n) => n > 0,
  );
  model.hang(`erase ${id}`);
  await tenant.send(id, `erase ${id}`);
  await eventually(
    async () => model.count(`erase ${id}`),
    (n) => n === 1,
  );
  return id;
}

async function rowsOfD1(tenant: TestTenant, id: string) {
  const count = async (table: string, column: string, key: string) =>
    (await DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE ${column} = ?`).bind(key).first<{ n: number }>())?.n ??
    0;
  return {
    agents: await count("agents", "id", id),
    segments: await count("segments", "owner", `${tenant.name}/${id}`),
  };
}

/** Nothing is left of the agent but its tombstone, its bill and the end of its chain. */
async function gone(tenant: TestTenant, id: string): Promise<void> {
  const erased = async () =>
    value(await patiently(() => tenant.core.audit({ limit: 50, action: "agent.erased" }))).items;
  await eventually(erased, (items) => items.length === 1);
  await eventually(
    () => rowsOfD1(tenant, id),
    ({ agents, segments }) => agents + segments === 0,
  );
  expect((await PAGES.list({ prefix: `${tenant.name}/${id}/` })).objects).toEqual([]);
  const tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'";
  expect(await rows(tenant.stub(id), tables)).toEqual([]);
  const archived = value(await tenant.core.audit({ limit: 50, action: "agent.archived" })).items;
  expect(archived).toMatchObject([{ data: { agentId: id, head: expect.stringMatching(/^[0-9a-f]{64}$/) } }]);
  const open = "SELECT id FROM calls WHERE agent_id = ? AND state = 'open'";
  expect(await rows(tenant.coreStub, open, id)).toEqual([]);
  expect(value(await tenant.core.verify()).ok).toBe(true);
  expect(await rows(tenant.coreStub, "SELECT agent_id FROM signals")).toEqual([]);
}

const notFound = { ok: false, error: { code: "not_found" } };
/** Runs `act` in place of what the agent does at its core's order, once. */
function instead(method: "close" | "wipe", act: (real: () => Promise<unknown>) => Promise<never>): void {
  const real = AgentProcess.prototype[method];
  const once = async function (this: AgentProcess, actor: string) {
    return await act(() => Reflect.apply(real, this, [actor]) as Promise<unknown>);
  };
  vi.spyOn(AgentProcess.prototype, method).mockImplementationOnce(once);
}

const lost = async (_answer?: unknown): Promise<never> => {
  throw new Error("the answer was lost");
};

describe("erasing that is interrupted", () => {
  test.each<[string, () => void]>([
    ["nowhere", () => {}],
    ["before the agent hears of it", () => instead("close", lost)],
    [
      "after the agent was killed, before its core knows its end",
      () => instead("close", async (real) => lost(await real())),
    ],
    ["after its chain was archived, before anything is deleted", () => instead("wipe", lost)],
    ["after everything is deleted, before its core knows", () => instead("wipe", async (real) => lost(await real()))],
  ])("%s is resumed by the sweep and ends complete", async (_, interrupt) => {
    const tenant = new TestTenant();
    const id = await atWork(tenant);
    interrupt();
    const first = await tenant.core.erase(id, "key:test");
    if (first.ok) expect(await patiently(() => tenant.agent(id).block())).toMatchObject(notFound);
    expect(await tenant.core.erase(id, "key:test")).toMatchObject(notFound);
    await gone(tenant, id);
  });

  test("in the middle of its objects in R2 goes on with the rest", async () => {
    const tenant = new TestTenant();
    const id = await atWork(tenant);
    const [object] = (await PAGES.list({ prefix: `${tenant.name}/${id}/` })).objects;
    instead("wipe", async () => {
      await PAGES.delete(object?.key ?? "");
      return lost();
    });
    value(await tenant.core.erase(id, "key:test"));
    await gone(tenant, id);
  });

  test("and an order that comes again, or a late result, touches nothing", async () => {
    const tenant = new TestTenant();
    const id = await atWork(tenant);
    value(await tenant.core.erase(id, "key:test"));
    await gone(tenant, id);
    const orders = tenant.stub(id) as unknown as AgentOrders & AgentCalls;
    for (const answer of [
      await orders.close("kernel"),
      await orders.wipe(),
      await orders.run(),
      await orders.revive(),
      await orders.answer("call_x", "yes", "key:test"),
      await orders.signal("KILL", "kernel"),
      await orders.renewCall("call_x", 1),
    ]) {
      expect(answer).toMatchObject(notFound);
    }
    await gone(tenant, id);
  });
});

describe("a process that is erased while it is born", () => {
  test("leaves nothing behind", async () => {
    const tenant = new TestTenant();
    const spawned = Promise.all(Array.from({ length: 8 }, () => tenant.spawn({ daemon: true })));
    const listed = async () => value(await tenant.core.list({ limit: 20 })).items;
    const early = await eventually(listed, (items) => items.length > 0);
    await Promise.all(early.map(({ id }) => tenant.core.erase(id, "key:test")));
    await spawned;
    for (const { id } of early) {
      await eventually(
        async () => (await tenant.agent(id).block()).ok,
        (there) => !there,
      );
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await tenant.agent(id).block()).toMatchObject(notFound);
    }
  });
});
