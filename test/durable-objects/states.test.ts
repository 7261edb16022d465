/// <reference types="@cloudflare/vitest-plugin/types" />
/// <reference types="vite/types/importMeta.d.ts" />
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { AGENT_MIGRATIONS } from "../../durable-objects/agent/migrations.ts";
import type { AgentCalls } from "../../durable-objects/agent/rpc.ts";
import { BATCH_JOB_MIGRATIONS } from "../../durable-objects/batch-job/migrations.ts";
import type { BatchJobRpc } from "../../durable-objects/batch-job/rpc.ts";
import { CORE_MIGRATIONS } from "../../durable-objects/core/migrations.ts";
import type { CoreGrants } from "../../durable-objects/core/rpc.ts";
import { ECONOMY_POOL_MIGRATIONS } from "../../durable-objects/economy-pool/migrations.ts";
import type { ObjectEnv } from "../../durable-objects/env.ts";
import type { Migration } from "../../durable-objects/migrations.ts";
import { GATE_MIGRATIONS } from "../../durable-objects/provider-gate/migrations.ts";
import type { GateRpc } from "../../durable-objects/provider-gate/rpc.ts";
import { LIMITS } from "../../kernel/limits.ts";
import {
  AGENT,
  BATCH,
  LEFT_AT,
  OPEN_CALL,
  QUEUED,
  QUEUED_MESSAGE,
  RUNNING_MESSAGE,
  TENANT_NAME,
} from "../fixtures/states/rows.ts";
import { nextMessage } from "../support/calls-queue.ts";
import { TestTenant, value } from "../support/tenant.ts";
import { boot, json, problem } from "../workers/kernel-client.ts";
import { newTenant } from "../workers/key-holders.ts";

/** Objects as older versions of the schema left them, opened by this version of the code. */

const STATES = import.meta.glob<string>("../fixtures/states/*/*.sql", {
  query: "?raw",
  import: "default",
  eager: true,
});
const SQL = import.meta.glob<string>("../../migrations/*/*.sql", { query: "?raw", import: "default", eager: true });

const objects = env as unknown as ObjectEnv;
const SCHEMAS: Record<string, readonly Migration[]> = {
  agent: AGENT_MIGRATIONS,
  core: CORE_MIGRATIONS,
  "batch-job": BATCH_JOB_MIGRATIONS,
  "economy-pool": ECONOMY_POOL_MIGRATIONS,
  "provider-gate": GATE_MIGRATIONS,
};

/** The names of a schema's migrations, in order. */
function versions(schema: string): string[] {
  const names = Object.keys(SQL).filter((path) => path.includes(`/${schema}/`));
  return names.map((path) => path.split("/").at(-1)?.replace(".sql", "") ?? "").toSorted();
}

function stateOf(schema: string, version: string): string {
  return STATES[`../fixtures/states/${schema}/${version}.sql`] ?? "";
}

/** The states of a schema that this version of the code has to open. */
function states(schema: string): string[] {
  return versions(schema).filter((version) => stateOf(schema, version) !== "");
}

/** Leaves the object as `version` left it, for `tenant`, and evicts it: the next call opens it anew. */
async function leave(
  stub: DurableObjectStub,
  schema: string,
  version: string,
  tenant: string,
  more = "",
): Promise<void> {
  await runInDurableObject(stub, async (_object, { storage }) => {
    await storage.deleteAlarm();
    await storage.deleteAll();
    storage.sql.exec("CREATE TABLE schema_migrations (name TEXT PRIMARY KEY, at INTEGER NOT NULL)");
    for (const name of versions(schema).filter((one) => one <= version)) {
      storage.sql.exec(SQL[`../../migrations/${schema}/${name}.sql`] ?? "");
      storage.sql.exec("INSERT INTO schema_migrations (name, at) VALUES (?, ?)", name, LEFT_AT);
    }
    storage.sql.exec(stateOf(schema, version).replaceAll(TENANT_NAME, tenant));
    if (more !== "") storage.sql.exec(more);
  });
  await evictDurableObject(stub);
}

/** A tenant whose core and agent were left by these versions. */
async function left(version: { agent: string; core: string }, tenant = new TestTenant()): Promise<TestTenant> {
  await leave(tenant.coreStub, "core", version.core, tenant.name);
  await leave(tenant.stub(AGENT), "agent", version.agent, tenant.name);
  return tenant;
}

const OLDEST = "0000_init";

function rows(stub: DurableObjectStub, statement: string) {
  return runInDurableObject(stub, (_object, { storage }) => storage.sql.exec(statement).toArray());
}

test("every schema but the newest has its state kept, as docs/upgrades.md says", () => {
  for (const schema of [...Object.keys(SCHEMAS), "d1"]) {
    const before = versions(schema).slice(0, -1);
    expect({ schema, kept: states(schema) }).toMatchObject({ schema, kept: expect.arrayContaining(before) });
  }
});

describe.each(states("agent"))("an agent that schema %s left in the middle of a call", (version) => {
  test("goes on to the answers of the message under way and of the one that waits", async () => {
    const tenant = await left({ agent: version, core: OLDEST });
    const agent = tenant.agent(AGENT);
    const message = await tenant.send(AGENT, "call calculate on 2*3*5*7");
    expect((await tenant.ended(AGENT, RUNNING_MESSAGE)).reply).toContain("42");
    expect((await tenant.ended(AGENT, QUEUED_MESSAGE)).reply).toContain("4200");
    expect((await tenant.ended(AGENT, message)).reply).toContain("210");
    expect(value(await agent.verify())).toMatchObject({ ok: true });
    const { file, bytes } = value(await agent.readFile("/workspace/ships.txt"));
    expect({ version: file.version, text: new TextDecoder().decode(bytes) }).toEqual({
      version: 1,
      text: "ships: 3\n",
    });
    expect(value(await agent.page("pg_state5")).content).toContain("1871");
    expect(value(await agent.searchPages("lighthouse", 5)).items.map(({ id }) => id)).toContain("pg_state5");
    const done = await rows(tenant.stub(AGENT), "SELECT name FROM schema_migrations ORDER BY name");
    expect(done.map(({ name }) => name)).toEqual(AGENT_MIGRATIONS.map(({ name }) => name));
  });
});

describe.each(states("core"))("a core that schema %s left with an open call and a run queue", (version) => {
  test("settles the one at its bound, grants the other, and keeps what was used", async () => {
    const tenant = await left({ agent: OLDEST, core: version });
    const steps = async () => value(await tenant.core.quotas()).quotas["steps"];
    expect(await steps()).toEqual({ limit: 1_000, used: 1, reserved: 1, per: "total" });
    await runInDurableObject(tenant.coreStub, (_object, { storage }) =>
      storage.sql.exec("UPDATE calls SET expires_at = 1 WHERE id = ?", OPEN_CALL),
    );
    value(await tenant.core.sweep());
    expect(await rows(tenant.coreStub, "SELECT agent_id FROM run_queue")).toEqual([]);
    expect(await rows(tenant.coreStub, `SELECT used, reserved FROM budgets WHERE subject = '${AGENT}'`)).toEqual([
      { used: 5_050, reserved: 0 },
    ]);
    expect(await steps()).toMatchObject({ used: 2, reserved: 0 });
    const { items } = value(await tenant.core.ledger({ limit: 5 }));
    expect(items.map(({ state, costNanoUsd }) => [state, costNanoUsd])).toEqual([
      ["unknown", 5_000],
      ["settled", 0],
    ]);
    const listed = value(await tenant.core.list({ limit: 5 })).items.find(({ id }) => id === QUEUED);
    const report = { agentId: QUEUED, seq: 2, settlements: [], segments: [], questions: [] };
    const price = { inputNanoUsdPerMTok: 0, cachedInputNanoUsdPerMTok: 0, outputNanoUsdPerMTok: 0, version: "local" };
    const next = { callId: "call_new", lane: "interactive", provider: "local", model: "local/reader", price } as const;
    const bounds = { inputBound: 10, outputWanted: 10, rateTokens: 20, deadlineMs: 1_000 };
    if (listed === undefined) throw new Error("the process table lost a process");
    const grants = tenant.coreStub as unknown as CoreGrants;
    const reply = await grants.settleAndGrant({ ...report, block: listed }, { ...next, ...bounds });
    expect(reply).toMatchObject({ kind: "granted", maxOutputTokens: 10 });
    expect(await steps()).toMatchObject({ used: 2, reserved: 1 });
    expect(value(await tenant.core.verify())).toMatchObject({ ok: true });
    const parentId = QUEUED;
    const child = { name: "C", role: "r", goal: "g", model: "local/reader", parentId };
    expect(await tenant.core.spawn({ ...child, permissionLevel: "FULL" }, { actor: "key:test" })).toMatchObject({
      error: { code: "forbidden" },
    });
  });
});

describe.each(states("batch-job"))("a batch job that schema %s left half done", (version) => {
  test("is shown as it was, and can be cancelled", async () => {
    const tenant = new TestTenant();
    const stub = objects.BATCHES.getByName(`${tenant.name}/${BATCH}`) as unknown as DurableObjectStub;
    await leave(stub, "batch-job", version, tenant.name);
    const job = stub as unknown as BatchJobRpc;
    expect(value(await job.view())).toMatchObject({
      state: "running",
      progress: { total: 2, completed: 1, failed: 0 },
    });
    expect(value(await job.cancel())).toMatchObject({ state: "cancelling" });
  });
});

describe.each(states("economy-pool"))("an economy pool that schema %s left with an outcome in its hands", (version) => {
  test("tells it to the agent that waits for it, and is empty then", async () => {
    const tenant = new TestTenant();
    const { id } = await tenant.spawn({ lane: "economy" });
    const call = await nextMessage(tenant, id);
    value(await (tenant.stub(id) as unknown as AgentCalls).claimCall(call, 1));
    const stub = objects.ECONOMY.getByName(`${tenant.name}/openai/gpt-5.4-mini`) as unknown as DurableObjectStub;
    const message = JSON.stringify({ ...call, lane: "economy" });
    await leave(stub, "economy-pool", version, tenant.name, `UPDATE calls SET message = '${message}'`);
    await runInDurableObject(stub, (_object, { storage }) => storage.setAlarm(Date.now() + 60_000));
    await runDurableObjectAlarm(stub);
    expect((await tenant.until(id, ({ state }) => state === "terminated")).result).toBe("The books are kept.");
    expect(await rows(stub, "SELECT * FROM calls")).toEqual([]);
  });
});

describe.each(states("provider-gate"))(
  "the gate of an account that schema %s left with its breaker open",
  (version) => {
    test("still keeps calls from the vendor", async () => {
      const stub = objects.GATES.getByName("openai") as unknown as DurableObjectStub;
      await leave(stub, "provider-gate", version, "");
      const view = value(await (stub as unknown as GateRpc).view());
      expect(view.pausedMs).toBeGreaterThan(0);
      expect(view.lastError?.code).toBe("provider_unavailable");
    });
  },
);

describe("a core that this version of the code cannot migrate", () => {
  test("answers schema_failed with 503, changes nothing, rests, and goes on when a good version comes", async () => {
    boot();
    const tenant = await left({ agent: OLDEST, core: OLDEST }, new TestTenant(await newTenant()));
    // What the next migration lays is in its way.
    await leave(tenant.coreStub, "core", OLDEST, tenant.name, "CREATE TABLE dead_letters (x)");
    await problem(503, "schema_failed", "GET", "/v1/agents", { tenant: tenant.name });
    expect(await tenant.core.sweep()).toMatchObject({ error: { code: "schema_failed" } });
    const message = await tenant.send(AGENT, "call calculate on 6*7");
    const alarm = (at: number | null) =>
      runInDurableObject(tenant.coreStub, async (_object, { storage }) => {
        if (at !== null) await storage.setAlarm(at);
        return storage.getAlarm();
      });
    await alarm(Date.now() + 3_600_000);
    await runDurableObjectAlarm(tenant.coreStub);
    expect(await alarm(null)).toBeGreaterThan(Date.now() + LIMITS.schemaRetryMs / 2);
    expect(await rows(tenant.coreStub, "SELECT name FROM schema_migrations")).toEqual([{ name: OLDEST }]);
    expect(value(await tenant.agent(AGENT).message(message)).state).toBe("queued");
    await rows(tenant.coreStub, "DROP TABLE dead_letters");
    await runDurableObjectAlarm(tenant.coreStub);
    expect((await tenant.ended(AGENT, message)).reply).toContain("42");
    expect(value(await tenant.core.verify()).ok).toBe(true);
  });
});

describe.each(states("d1"))("a D1 that schema %s left", (version) => {
  test("is read as it was when the rest of its migrations ran", async () => {
    boot();
    const run = async (statements: readonly string[]) => {
      for (const statement of statements) await objects.DB.prepare(statement).run();
    };
    const found = await objects.DB.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '*_*' OR name IN ('api_keys', 'audit_checkpoints')",
    ).all<{ name: string }>();
    await run(found.results.map(({ name }) => `DROP TABLE ${name}`));
    const lay = (names: readonly string[]) =>
      run(names.flatMap((name) => (SQL[`../../migrations/d1/${name}.sql`] ?? "").split("--> statement-breakpoint")));
    await lay(versions("d1").filter((name) => name <= version));
    const tenant = `t-${version.replaceAll("_", "-")}`;
    const lines = stateOf("d1", version).replaceAll(TENANT_NAME, tenant).split("\n");
    await run(lines.filter((line) => line.startsWith("INSERT")));
    await lay(versions("d1").filter((name) => name > version));
    const keys = await json<{ items: object[] }>(200, "GET", "/v1/keys", { tenant });
    expect(keys.items).toMatchObject([{ id: "key_state", role: "viewer", name: "reader" }]);
    const tenants = await json<{ items: object[] }>(200, "GET", "/v1/tenants");
    expect(tenants.items).toContainEqual(expect.objectContaining({ id: tenant, name: "Harbour" }));
    const call = await objects.DB.prepare("SELECT tenant, cost_nano_usd, price FROM calls").first();
    expect(call).toEqual({ tenant, cost_nano_usd: 12_000, price: "{}" });
  });
});
