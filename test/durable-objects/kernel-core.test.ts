import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { systemClock, systemHash, systemRandom } from "../../durable-objects/ports.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { newBirth, newborn } from "../../kernel/process/birth.ts";
import { ProcessTable } from "../../kernel/scheduler/process-table.ts";
import { Slots } from "../../kernel/scheduler/slots.ts";
import { objectSql } from "../support/ports.ts";
import { eventually, TestTenant, value } from "../support/tenant.ts";

const { DB } = env as unknown as { DB: D1Database };

/** Rows of a statement on the core's own tables. */
function rows(tenant: TestTenant, statement: string, ...parameters: (string | number)[]) {
  return runInDurableObject(tenant.coreStub, (_object, state) =>
    state.storage.sql.exec(statement, ...parameters).toArray(),
  );
}

describe("the projection to D1", () => {
  test("shows each process and each settled call within seconds", async () => {
    const tenant = new TestTenant();
    const { id } = await tenant.spawn({ name: "Projected", goal: "call calculate on 6*7" });
    const agent = () => DB.prepare("SELECT * FROM agents WHERE id = ?").bind(id).first();
    const row = await eventually(agent, (found) => found?.["state"] === "terminated");
    expect(row).toMatchObject({ tenant: tenant.name, name: "Projected", model: "local/reader", steps: 2 });
    const calls = await DB.prepare("SELECT * FROM calls WHERE agent_id = ?").bind(id).all();
    expect(calls.results).toMatchObject([{ state: "settled" }, { state: "settled" }]);
  });

  test("holds the catalogue of cold segments", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    value(await tenant.agent(id).addPages({ content: "A line of the ship's log.\n".repeat(120_000) }, "key:test"));
    const segments = () => DB.prepare("SELECT * FROM segments WHERE owner = ?").bind(`${tenant.name}/${id}`).all();
    const { results } = await eventually(segments, (found) => found.results.length > 0);
    expect(results[0]).toMatchObject({ key: expect.stringContaining(id) });
    const { context } = await tenant.block(id);
    expect(context.coldPages).toBeGreaterThan(0);
  });

  test("forgets an erased process and keeps its calls", async () => {
    const tenant = new TestTenant();
    const { id } = await tenant.spawn({ goal: "call calculate on 6*7" });
    await tenant.until(id, (block) => block.state === "terminated");
    const count = (table: string, column: string) => async () =>
      (await DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE ${column} = ?`).bind(id).first<{ n: number }>())?.n;
    await eventually(count("agents", "id"), (n) => n === 1);
    value(await tenant.core.erase(id, "key:test"));
    await eventually(count("agents", "id"), (n) => n === 0);
    expect(await count("calls", "agent_id")()).toBe(2);
  });
});

describe("a core that was evicted over calls of a vendor account", () => {
  test("has its alarm when agents go on, and projects what they do", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    await runInDurableObject(tenant.coreStub, (_object, state) =>
      new Slots({ sql: objectSql(state.storage), clock: systemClock }).take("agt_away", 1, false, {
        gate: "openai",
        epoch: 1,
      }),
    );
    const calls = async () => (await DB.prepare("SELECT call_id FROM calls WHERE agent_id = ?").bind(id).all()).results;
    const ledger = () => rows(tenant, "SELECT id FROM calls WHERE agent_id = ? AND state = 'settled'", id);
    const before = await ledger();
    await eventually(calls, (found) => found.length === before.length);
    await evictDurableObject(tenant.coreStub);
    await tenant.ask(id, "call calculate on 6*7");
    const after = await eventually(ledger, (found) => found.length > before.length);
    await eventually(calls, (found) => found.length >= after.length);
  });
});

describe("a spawn", () => {
  test("with the same idempotency key answers the same process", async () => {
    const tenant = new TestTenant();
    const spec = { name: "Once", role: "r", goal: "Help the user", daemon: true };
    const options = { actor: "key:test", idempotencyKey: "k1" };
    const first = value(await tenant.core.spawn(spec, options));
    expect(value(await tenant.core.spawn(spec, options))).toEqual(first);
    expect(await tenant.core.spawn({ ...spec, name: "Twice" }, options)).toMatchObject({
      error: { code: "idempotency_mismatch" },
    });
    expect(value(await tenant.core.list({ limit: 10 })).items).toHaveLength(1);
  });

  test("with a model that nobody serves is refused, and nothing is entered", async () => {
    const tenant = new TestTenant();
    const spec = { name: "x", role: "r", goal: "g", model: "nobody/nothing" };
    expect(await tenant.core.spawn(spec, { actor: "key:test" })).toMatchObject({ error: { code: "unknown_model" } });
    expect(value(await tenant.core.list({ limit: 10 })).items).toEqual([]);
  });

  test("whose object never heard of it is completed by the sweep", async () => {
    const tenant = new TestTenant();
    await tenant.daemon();
    const spec = { name: "Unborn", role: "r", goal: "call calculate on 6*7" };
    const ports = { clock: systemClock, random: systemRandom, hash: systemHash };
    const birth = newBirth(
      { tenant: tenant.name, spec, model: "local/reader", contextTokens: 1_000_000, actor: "key:test" },
      ports,
    );
    await runInDurableObject(tenant.coreStub, (_object, state) =>
      new ProcessTable(objectSql(state.storage)).enter(newborn(birth), birth, 0, 1),
    );
    expect(await tenant.agent(birth.id).block()).toMatchObject({ ok: false, error: { code: "not_found" } });
    value(await tenant.core.sweep());
    await tenant.until(birth.id, (block) => block.state === "terminated");
  });
});

describe("a model call that nobody settles", () => {
  test("is settled as unknown at its bound by the alarm, once its time has passed", async () => {
    const tenant = new TestTenant();
    const { id } = await tenant.spawn({ goal: "call calculate on 6*7" });
    await tenant.until(id, (block) => block.state === "terminated");
    await eventually(
      () => rows(tenant, "SELECT state FROM calls WHERE state = 'settled'"),
      (found) => found.length === 2,
    );
    const past = Date.now() - LIMITS.settleGraceMs;
    await rows(tenant, "UPDATE calls SET state = 'open', expires_at = ? WHERE agent_id = ?", past, id);
    await runInDurableObject(tenant.coreStub, (_object, state) => state.storage.setAlarm(Date.now() + 60_000));
    await runDurableObjectAlarm(tenant.coreStub);
    const { items } = value(await tenant.core.costs({ groupBy: "agent" }));
    expect(items).toMatchObject([{ key: id, calls: 2, unknown: 2 }]);
    expect(value(await tenant.core.audit({ limit: 50, action: "ledger.unknown" })).items).toHaveLength(2);
    expect(value(await tenant.core.verify()).ok).toBe(true);
  });
});

describe("a question for a person", () => {
  test("is withdrawn when its process is killed", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    await tenant.send(id, 'call ask_person {"question": "go on?"}');
    const asked = async () => value(await tenant.core.approvals({ limit: 10 })).items;
    const [question] = await eventually(asked, (items) => items.length === 1);
    expect(question).toMatchObject({ kind: "question", state: "open", question: "go on?", agentId: id });
    value(await tenant.agent(id).signal("KILL", "key:test"));
    await eventually(asked, ([first]) => first?.state === "withdrawn");
    const late = await tenant.core.answer(question?.id ?? "", { answer: "yes" }, "key:test");
    expect(late).toMatchObject({ ok: false, error: { code: "conflict" } });
  });
});

describe("a spent budget", () => {
  test("makes the process wait, and raising it lets it go on where it stood", async () => {
    const tenant = new TestTenant();
    const { id } = await tenant.spawn({ goal: "call calculate on 6*7", quotas: { steps: 1 } });
    const waiting = await tenant.until(id, (block) => block.state === "waiting");
    expect(waiting).toMatchObject({ waitReason: "quota", quotas: { steps: { limit: 1, used: 1 } } });
    value(await tenant.core.patch(id, { quotas: { steps: 2 } }, "key:test"));
    const done = await tenant.until(id, (block) => block.state === "terminated");
    expect(done.result).toContain("42");
    expect(done.usage.steps).toBe(2);
  });
});
