import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { AgentOrders } from "../../durable-objects/agent/rpc.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { ProcessSpec } from "../../kernel/process/spec.ts";
import { VERSION } from "../../kernel/version.ts";
import { eventually, TestTenant, value } from "../support/tenant.ts";

/**
 * A process that died in the middle of a tool whose receiver honours no key. Such tools come with the egress guard, so the
 * tables are made to say it: the call is the one that waits for a person.
 */
async function diedInExternalCall(tenant: TestTenant, spec: Partial<ProcessSpec>, deathsBefore = 0): Promise<string> {
  const { id } = await tenant.spawn({ ...spec, goal: 'call ask_person {"question": "go on?"}' });
  await tenant.until(id, (block) => block.waitReason === "approval");
  await runInDurableObject(tenant.stub(id), (_object, state) => {
    state.storage.sql.exec("UPDATE pending SET state = 'running', effect = 'external' WHERE state = 'waiting'");
    state.storage.sql.exec("UPDATE process SET deaths = ?, deaths_version = ?", deathsBefore, VERSION);
  });
  await abortAllDurableObjects();
  await (tenant.stub(id) as unknown as AgentOrders).run();
  return id;
}

describe("a process that died in a call without a key", () => {
  test("does not run it again: its message is parked for a person, and a daemon lives on", async () => {
    const tenant = new TestTenant();
    const id = await diedInExternalCall(tenant, { daemon: true });
    await tenant.until(id, (block) => block.waitReason === "message");
    const { items } = value(await tenant.agent(id).messages({ limit: 1 }));
    expect(items).toMatchObject([{ state: "parked", error: { code: "tool_failed" } }]);
    expect(await kinds(tenant, id, "call.parked")).toBe(1);
    expect(await tenant.ask(id, "call calculate on 6*7")).toContain("42");
  });

  test("for the tenth time is no crash loop, because that call is over", async () => {
    const tenant = new TestTenant();
    const id = await diedInExternalCall(tenant, { daemon: true }, LIMITS.deathsPerCall - 1);
    await tenant.until(id, (block) => block.waitReason === "message");
    expect(await kinds(tenant, id, "process.crash-loop")).toBe(0);
  });

  test("ends when the call was its goal's, however often it had died before", async () => {
    const tenant = new TestTenant();
    const id = await diedInExternalCall(tenant, {}, LIMITS.deathsPerCall - 1);
    const { exit } = await tenant.until(id, (block) => block.state === "terminated");
    expect(exit).toEqual({ code: 1, reason: "failed" });
  });
});

describe("a process that is stopped while the core grants its call", () => {
  test("pays for the call that it makes when it goes on", { timeout: 60_000 }, async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    for (let round = 0; round < 40; round++) {
      const messageId = await tenant.send(id, `call calculate on ${round}+1`);
      await new Promise((resolve) => setTimeout(resolve, round % 8));
      value(await tenant.agent(id).signal("STOP", "key:test"));
      await new Promise((resolve) => setTimeout(resolve, 20));
      value(await tenant.agent(id).signal("CONT", "key:test"));
      expect((await tenant.ended(id, messageId)).state).toBe("answered");
    }
    const { usage } = await tenant.block(id);
    const billed = async () => value(await tenant.core.costs({ groupBy: "agent" })).items[0]?.promptTokens;
    await eventually(billed, (tokens) => tokens === usage.promptTokens, 3_000);
  });
});

async function kinds(tenant: TestTenant, id: string, kind: string): Promise<number> {
  return value(await tenant.agent(id).audit({ limit: 100, action: kind })).items.length;
}

describe("a process whose alarm the platform gave up", () => {
  test("goes on when the sweep finds its slot expired", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    const messageId = await tenant.send(id, 'call ask_person {"question": "go on?"}');
    await tenant.until(id, (block) => block.waitReason === "approval");
    await runInDurableObject(tenant.stub(id), async (_object, state) => {
      state.storage.sql.exec("UPDATE pending SET state = 'queued' WHERE state = 'waiting'");
      state.storage.sql.exec(
        "UPDATE pending SET name = 'calculate', input = '{\"expression\": \"6*7\"}' WHERE state = 'queued'",
      );
      state.storage.sql.exec("UPDATE process SET state = 'ready', wait_reason = NULL");
      await state.storage.deleteAlarm();
    });
    await evictDurableObject(tenant.stub(id));
    await runInDurableObject(tenant.coreStub, (_object, state) => {
      state.storage.sql.exec(
        "INSERT INTO slots (agent_id, fence, expires_at, pushed) VALUES (?, 1, ?, 0)",
        id,
        Date.now() - 1,
      );
    });
    value(await tenant.core.sweep());
    expect((await tenant.ended(id, messageId)).state).toBe("answered");
  });
});
