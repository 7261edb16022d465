import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { R2ObjectStore } from "../../durable-objects/agent/r2-object-store.ts";
import { CheckpointTable } from "../../durable-objects/d1/checkpoint-table.ts";
import type { Checkpoint } from "../../kernel/log/checkpoint.ts";
import { REDACTED } from "../../kernel/log/redaction.ts";
import { Trail } from "../../workers/api/audit/trail.ts";
import type { Env } from "../../workers/env.ts";
import { AUDIT_KEY } from "../support/audit-trail.ts";
import { eventually, patiently, TestTenant, value } from "../support/tenant.ts";

/** Chains of real objects: exported, signed, cut by crashes, edited in SQLite, R2 and D1, erased, and kept for a time. */

const bindings = env as unknown as Env;
const { DB, PAGES } = bindings;
bindings.AOS_AUDIT_KEY = AUDIT_KEY;

afterEach(() => {
  vi.restoreAllMocks();
  delete bindings.AOS_AUDIT_RETENTION_DAYS;
});

const run = (stub: DurableObjectStub, statement: string) =>
  patiently(() => runInDurableObject(stub, (_object, { storage }) => storage.sql.exec(statement).toArray()));

async function verify(tenant: TestTenant, agentId?: string) {
  return value(await value(await Trail.of(bindings, tenant.name, agentId)).verify());
}

function checkpoints(tenant: TestTenant, object: string): Promise<Checkpoint[]> {
  return Array.fromAsync(new CheckpointTable(DB).all(tenant.name, object));
}

async function checkpoint(tenant: TestTenant): Promise<void> {
  value(await patiently(() => tenant.core.checkpoint("key:test")));
}

/** A daemon whose chain is wholly exported. */
async function covered(tenant: TestTenant): Promise<string> {
  const id = await tenant.daemon();
  await tenant.ask(id, "call calculate on 6*7");
  await settledDown(tenant, id);
  await checkpoint(tenant);
  return id;
}

/** The core knows the agent's chain to its end. */
async function settledDown(tenant: TestTenant, id: string): Promise<void> {
  const both = async () => {
    const [{ seq } = { seq: 0 }] = await run(tenant.stub(id), "SELECT max(seq) AS seq FROM log");
    const [known] = await run(tenant.coreStub, `SELECT seq FROM processes WHERE id = '${id}'`);
    return { seq, known: known?.["seq"] };
  };
  await eventually(both, ({ seq, known }) => seq === known);
}

describe("a chain", () => {
  test("is exported to its end, signed, and verified against what was exported", async () => {
    const tenant = new TestTenant();
    const id = await covered(tenant);
    const report = await verify(tenant, id);
    expect(report).toMatchObject({ ok: true, checkpoints: { count: 1, verified: 1, foreign: 0, seq: report.entries } });
    expect(report.checkpoints.keyId).toMatch(/^hmac:[0-9a-f]{16}$/);
    const [first] = await checkpoints(tenant, id);
    expect(first?.segment).toBe(
      `audit/${tenant.name}/${id}/000000000001-${String(report.entries).padStart(12, "0")}.jsonl`,
    );
    const text = await (await PAGES.get(first?.segment ?? ""))?.text();
    expect(text?.split("\n")).toHaveLength(report.entries + 1);
    expect(await verify(tenant)).toMatchObject({ ok: true, checkpoints: { verified: 1 } });
  });

  test("goes on behind its checkpoint, which the next one names", async () => {
    const tenant = new TestTenant();
    const id = await covered(tenant);
    await tenant.ask(id, "call calculate on 1+1");
    expect(await verify(tenant, id)).toMatchObject({ ok: true, checkpoints: { count: 1 } });
    await settledDown(tenant, id);
    await checkpoint(tenant);
    const [first, second] = await checkpoints(tenant, id);
    expect(second?.fromSeq).toBe((first?.seq ?? 0) + 1);
    expect(await verify(tenant, id)).toMatchObject({ ok: true, checkpoints: { count: 2, verified: 2 } });
  });

  test("that nobody touched costs no further round, and leaves no alarm", async () => {
    const tenant = new TestTenant();
    const id = await covered(tenant);
    value(await tenant.core.sweep());
    await checkpoint(tenant);
    expect(await checkpoints(tenant, id)).toHaveLength(1);
    for (const stub of [tenant.stub(id), tenant.coreStub]) {
      const alarm = () => runInDurableObject(stub, (_object, { storage }) => storage.getAlarm());
      expect(await eventually(alarm, (at) => at === null)).toBeNull();
    }
  });
});

describe("a round of checkpoints that is cut", () => {
  test.each<[string, () => void]>([
    ["before a segment is in R2", () => fails(R2ObjectStore.prototype, "put", "before")],
    ["after it is there, before its agent could say so", () => fails(R2ObjectStore.prototype, "put", "after")],
    ["before D1 has the checkpoints", () => fails(CheckpointTable.prototype, "put", "before")],
    ["after D1 has them, before the core knows", () => fails(CheckpointTable.prototype, "put", "after")],
  ])("%s is made again and writes the same", async (_where, cut) => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    await settledDown(tenant, id);
    cut();
    await checkpoint(tenant);
    vi.restoreAllMocks();
    const before = await checkpoints(tenant, id);
    await patiently(() => evictDurableObject(tenant.coreStub));
    await checkpoint(tenant);
    const after = await checkpoints(tenant, id);
    expect(after).toHaveLength(1);
    if (before.length > 0) expect(after).toEqual(before);
    expect((await PAGES.list({ prefix: `audit/${tenant.name}/${id}/` })).objects).toHaveLength(1);
    expect(await verify(tenant, id)).toMatchObject({ ok: true, checkpoints: { verified: 1 } });
    expect(await verify(tenant)).toMatchObject({ ok: true });
  });
});

interface ToolCall {
  id: string;
  index: number;
  type: "function";
  function: { name: string; arguments: string };
}

function call(name: string, input: object): ToolCall {
  return { id: `call-${name}`, index: 0, type: "function", function: { name, arguments: JSON.stringify(input) } };
}

/** A model that asks for these calls, offered or not, and then is done. */
function obey(calls: readonly ToolCall[]): void {
  const stream = (delta: object, finish_reason: string) => {
    const chunks = [
      { choices: [{ index: 0, delta, finish_reason }] },
      { choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } },
    ];
    const lines = chunks.map(
      (chunk) => `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", ...chunk })}\n\n`,
    );
    return new Response(`${lines.join("")}data: [DONE]\n\n`, { headers: { "content-type": "text/event-stream" } });
  };
  const replies = [
    () => stream({ role: "assistant", tool_calls: calls.map((one, index) => ({ ...one, index })) }, "tool_calls"),
    () => stream({ role: "assistant", content: "done" }, "stop"),
  ];
  Object.assign(bindings, { OPENAI_API_KEY: "test", OPENAI_BASE_URL: "https://model.test/v1" });
  vi.stubGlobal("fetch", async () => (replies.shift() ?? (() => stream({ content: "done" }, "stop")))());
}

/** Every call of `method` breaks, before or after it has done what it does. */
function fails<T extends object>(prototype: T, method: keyof T & string, when: "before" | "after"): void {
  const real = prototype[method] as (...input: unknown[]) => Promise<unknown>;
  const broken = async function (this: T, ...input: unknown[]) {
    if (when === "after") await Reflect.apply(real, this, input);
    throw new Error("cut");
  };
  vi.spyOn(prototype, method as never).mockImplementation(broken as never);
}

describe("an edit", () => {
  test.each<[string, string, RegExp]>([
    ["of an entry", "UPDATE log SET actor = 'key:nobody' WHERE seq = 3", /entry 3 was changed/],
    ["that drops an entry", "DELETE FROM log WHERE seq = 4", /entry 4 is missing/],
    ["that cuts the tail", "DELETE FROM log WHERE seq > 5", /cut: it went on to entry/],
  ])("%s in the object's own SQLite is found, also after it was evicted", async (_what, statement, reason) => {
    const tenant = new TestTenant();
    const id = await covered(tenant);
    await run(tenant.stub(id), statement);
    for (const evict of [false, true]) {
      if (evict) await patiently(() => evictDurableObject(tenant.stub(id)));
      const report = await verify(tenant, id);
      expect(report).toMatchObject({ ok: false, findings: [{ where: "log" }] });
      expect(report.reason).toMatch(reason);
    }
  });

  test("of the core's own chain is found", async () => {
    const tenant = new TestTenant();
    await covered(tenant);
    await run(tenant.coreStub, "UPDATE log SET data = '{}' WHERE seq = 1");
    expect(await verify(tenant)).toMatchObject({ ok: false, brokenAt: 1 });
  });

  test("of a segment or a checkpoint is found", async () => {
    const tenant = new TestTenant();
    const id = await covered(tenant);
    const [first] = await checkpoints(tenant, id);
    const key = first?.segment ?? "";
    const text = (await (await PAGES.get(key))?.text()) ?? "";
    await PAGES.put(key, text.replace("kernel", "Kernel"));
    expect(await verify(tenant, id)).toMatchObject({ ok: false, findings: [{ where: "archive" }] });
    await PAGES.delete(key);
    expect((await verify(tenant, id)).reason).toContain("are missing");
    await PAGES.put(key, text);
    expect(await verify(tenant, id)).toMatchObject({ ok: true });
    await DB.prepare("UPDATE audit_checkpoints SET at = at + 1 WHERE object = ?").bind(id).run();
    const report = await verify(tenant, id);
    expect(report.findings.map(({ where }) => where)).toContain("checkpoint");
    expect(report.reason).toContain("changed or forged");
    await DB.prepare("DELETE FROM audit_checkpoints WHERE object = ?").bind(id).run();
    expect((await verify(tenant, id)).reason).toContain("a checkpoint is missing");
  });

  test("between two checkpoints, hashed again, is neither exported nor signed", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    await settledDown(tenant, id);
    // Whoever edits hashes the rest again, here with a made-up hash of the last entry.
    await run(tenant.stub(id), "UPDATE log SET actor = 'key:nobody' WHERE seq = (SELECT max(seq) FROM log)");
    await checkpoint(tenant);
    expect(await checkpoints(tenant, id)).toEqual([]);
    const { items } = value(await tenant.core.audit({ limit: 10, action: "audit.broken" }));
    expect(items).toMatchObject([{ data: { object: id, reason: expect.any(String) } }]);
    expect(await verify(tenant, id)).toMatchObject({ ok: false });
  });
});

describe("an erased agent", () => {
  test("leaves its whole chain in the archive, still verified", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    value(await tenant.core.erase(id, "key:test"));
    const erased = async () =>
      value(await patiently(() => tenant.core.audit({ limit: 5, action: "agent.erased" }))).items;
    await eventually(erased, (items) => items.length === 1);
    const [archived] = value(await tenant.core.audit({ limit: 5, action: "agent.archived" })).items;
    const report = await verify(tenant, id);
    expect(report).toMatchObject({ ok: true, checkpoints: { count: 1, verified: 1 } });
    expect(archived?.data).toMatchObject({ entries: report.entries, head: report.head });
    await DB.prepare("UPDATE audit_checkpoints SET head = ? WHERE object = ?").bind("0".repeat(64), id).run();
    expect(await verify(tenant, id)).toMatchObject({ ok: false });
  });

  test("is not erased before its chain is exported", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    fails(CheckpointTable.prototype, "put", "before");
    await tenant.core.erase(id, "key:test");
    await tenant.core.sweep();
    expect(await run(tenant.stub(id), "SELECT count(*) > 0 AS there FROM log")).toEqual([{ there: 1 }]);
    vi.restoreAllMocks();
    value(await tenant.core.sweep());
    expect(await verify(tenant, id)).toMatchObject({ ok: true, checkpoints: { count: 1 } });
  });
});

describe("the retention", () => {
  test("drops what is exported and old, and what is left is verified from there", async () => {
    const tenant = new TestTenant();
    const id = await covered(tenant);
    await tenant.ask(id, "call calculate on 1+1");
    await settledDown(tenant, id);
    await checkpoint(tenant);
    const [first, second] = await checkpoints(tenant, id);
    const before = second?.at ?? 0;
    expect(value(await tenant.core.retire(before))).toEqual({ done: true });
    expect(await PAGES.head(first?.segment ?? "")).toBeNull();
    expect(await PAGES.head(second?.segment ?? "")).not.toBeNull();
    const seqs = await run(tenant.stub(id), "SELECT min(seq) AS first FROM log");
    expect(seqs).toEqual([{ first: (first?.seq ?? 0) + 1 }]);
    await patiently(() => evictDurableObject(tenant.stub(id)));
    expect(await verify(tenant, id)).toMatchObject({ ok: true, checkpoints: { count: 2, verified: 2 } });
    // A removal that the kernel did not sign is a gap.
    await DB.prepare("UPDATE audit_checkpoints SET removal_signature = NULL WHERE object = ?").bind(id).run();
    expect((await verify(tenant, id)).reason).toContain("are missing");
  });

  test("drops nothing that no checkpoint covers, and nothing of a log that ends there", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    await settledDown(tenant, id);
    expect(value(await tenant.core.retire(Date.now() + 1_000_000))).toEqual({ done: true });
    expect(await run(tenant.stub(id), "SELECT min(seq) AS first FROM log")).toEqual([{ first: 1 }]);
    await checkpoint(tenant);
    value(await tenant.core.retire(Date.now() + 1_000_000));
    expect(await run(tenant.stub(id), "SELECT min(seq) AS first FROM log")).toEqual([{ first: 1 }]);
    await patiently(() => evictDurableObject(tenant.stub(id)));
    expect((await tenant.ask(id, "call calculate on 2+2")).length).toBeGreaterThan(0);
    expect(await verify(tenant, id)).toMatchObject({ ok: true });
  });
});

describe("the log", () => {
  test("never holds what looks like a secret, whoever hands it over", async () => {
    const tenant = new TestTenant();
    const secrets = [`sk-${"a1".repeat(12)}`, `aos_${"x".repeat(43)}`, `Bearer ${"t0".repeat(10)}`, AUDIT_KEY];
    const { id } = await tenant.spawn({ name: secrets.join(" "), daemon: true });
    const logged = async (stub: DurableObjectStub) => JSON.stringify(await run(stub, "SELECT data FROM log"));
    const text = (await logged(tenant.coreStub)) + (await logged(tenant.stub(id)));
    for (const secret of secrets) expect(text).not.toContain(secret);
    expect(text).toContain(REDACTED);
    expect(await verify(tenant, id)).toMatchObject({ ok: true });
  });

  test("says of every system call what was decided and why", async () => {
    const tenant = new TestTenant();
    obey([call("file_write", { path: "a.txt", content: "one" }), call("calculate", { expression: "2+2" })]);
    const { id } = await tenant.spawn({ permissionLevel: "RESTRICTED", model: "openai/test" });
    await tenant.until(id, ({ state }) => state === "terminated");
    const { items } = value(await tenant.agent(id).audit({ limit: 100, action: "call.end" }));
    const tools = items.filter(({ data }) => data["name"] !== "llm.complete").map(({ data }) => data);
    expect(tools).toMatchObject([
      { name: "file_write", ok: false, decision: "denied", reason: expect.stringContaining("RESTRICTED") },
      { name: "calculate", ok: true, decision: "allowed", level: "RESTRICTED", capability: expect.any(String) },
    ]);
  });
});
