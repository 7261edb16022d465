import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { AgentOrders } from "../../durable-objects/agent/rpc.ts";
import type { ApprovalView } from "../../durable-objects/core/rpc.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Verdict } from "../../kernel/process/parking.ts";
import type { ProcessSpec } from "../../kernel/process/spec.ts";
import { VERSION } from "../../kernel/version.ts";
import { eventually, TestTenant, value } from "../support/tenant.ts";

/**
 * A process that died in the middle of a tool whose receiver honours no key. No network here: the tables are made to say it,
 * of the call that waits for a person. test/e2e/crash/effects.test.ts does it with real kills and a real receiver.
 */
async function diedInExternalCall(tenant: TestTenant, spec: Partial<ProcessSpec>, deathsBefore = 0): Promise<string> {
  const { id } = await tenant.spawn({ ...spec, goal: 'call ask_person {"question": "go on?"}' });
  await tenant.until(id, (block) => block.waitReason === "approval");
  await dieInIt(tenant, id, 1, deathsBefore);
  return id;
}

async function dieInIt(tenant: TestTenant, id: string, attempt: number, deathsBefore = 0): Promise<void> {
  await runInDurableObject(tenant.stub(id), (_object, { storage }) => {
    const died = "UPDATE pending SET state = 'running', effect = 'external', attempt = ? WHERE state = 'waiting'";
    storage.sql.exec(died, attempt);
    storage.sql.exec("UPDATE process SET deaths = ?, deaths_version = ?", deathsBefore, VERSION);
  });
  await evictDurableObject(tenant.stub(id));
  await orders(tenant, id).run();
}

/** The open approval of a process that is parked. */
async function parked(tenant: TestTenant, id: string, attempt = 1): Promise<ApprovalView> {
  const isIt = (item: ApprovalView) => item.agentId === id && item.action?.attempt === attempt;
  const items = await eventually(
    () => open(tenant),
    (all) => all.some(isIt),
  );
  await tenant.until(id, (block) => block.state === "waiting" && block.waitReason === "approval");
  return items.find(isIt) as ApprovalView;
}

async function open(tenant: TestTenant): Promise<ApprovalView[]> {
  return value(await tenant.core.approvals({ limit: 10, state: "open" })).items;
}

function orders(tenant: TestTenant, id: string): AgentOrders {
  return tenant.stub(id) as unknown as AgentOrders;
}

function verdictOn({ action }: ApprovalView): Verdict {
  const { callId = "", attempt = 0, inputSha256 = "" } = action ?? {};
  return { callId, attempt, inputSha256, decision: "done", answer: null };
}

async function firstMessage(tenant: TestTenant, id: string) {
  const { items } = value(await tenant.agent(id).messages({ limit: 1 }));
  return tenant.ended(id, items[0]?.id ?? "");
}

describe("a process that died in a call without a key", () => {
  test("does not run it again, and waits for a person with nothing but an alarm at the end of its patience", async () => {
    const tenant = new TestTenant();
    const id = await diedInExternalCall(tenant, { daemon: true });
    const approval = await parked(tenant, id);
    expect(approval).toMatchObject({
      kind: "approval",
      options: ["done", "not_done", "abandon"],
      action: { tool: "ask_person", input: '{"question": "go on?"}', known: expect.stringContaining("died") },
      decision: null,
    });
    const { items } = value(await tenant.agent(id).messages({ limit: 1 }));
    expect(items).toMatchObject([{ state: "running" }]);
    expect(await kinds(tenant, id, "call.parked")).toBe(1);
    const alarm = () => runInDurableObject(tenant.stub(id), (_object, state) => state.storage.getAlarm());
    await eventually(alarm, (at) => at === Date.parse(approval.expiresAt ?? ""));
  });

  test("for the tenth time is no crash loop, because nobody runs that call any more", async () => {
    const tenant = new TestTenant();
    const id = await diedInExternalCall(tenant, { daemon: true }, LIMITS.deathsPerCall - 1);
    await parked(tenant, id);
    expect(await kinds(tenant, id, "process.crash-loop")).toBe(0);
  });

  test("goes on with what a person says it answered, and both chains say who said so", async () => {
    const tenant = new TestTenant();
    const id = await diedInExternalCall(tenant, { daemon: true });
    const { id: approvalId } = await parked(tenant, id);
    const word = { decision: "done", answer: "order 7", note: "asked them" } as const;
    expect(value(await tenant.core.answer(approvalId, word, "key:ada"))).toMatchObject({ state: "answered", ...word });
    expect((await firstMessage(tenant, id)).state).toBe("answered");
    const decided = value(await tenant.agent(id).audit({ limit: 10, action: "call.decided" })).items;
    expect(decided).toMatchObject([{ actor: "key:ada", data: { decision: "done", attempt: 1 } }]);
    expect(JSON.stringify(decided)).not.toContain("order 7");
    const told = value(await tenant.core.audit({ limit: 10, action: "approval.answer" })).items;
    expect(told).toMatchObject([{ actor: "key:ada", data: { approvalId, decision: "done" } }]);
    expect(value(await tenant.agent(id).verify()).ok).toBe(true);
  });

  test("runs it again, once, when a person says that it did not happen; what is lost then is another approval", async () => {
    const tenant = new TestTenant();
    const id = await diedInExternalCall(tenant, { daemon: true });
    const first = await parked(tenant, id);
    value(await tenant.core.answer(first.id, { decision: "not_done" }, "key:ada"));
    await eventually(
      () => open(tenant),
      ([item]) => item?.kind === "question",
    );
    await dieInIt(tenant, id, 2);
    const second = await parked(tenant, id, 2);
    expect(second.id).not.toBe(first.id);
    expect(second.action?.callId).toBe(first.action?.callId);
    expect(await tenant.core.answer(first.id, { decision: "not_done" }, "key:ada")).toMatchObject({
      error: { code: "conflict" },
    });
    value(await tenant.core.answer(second.id, { decision: "done" }, "key:ada"));
    expect((await firstMessage(tenant, id)).state).toBe("answered");
  });

  test("ends its message as parked when a person gives it up, and a daemon lives on", async () => {
    const tenant = new TestTenant();
    const id = await diedInExternalCall(tenant, { daemon: true });
    value(await tenant.core.answer((await parked(tenant, id)).id, { decision: "abandon" }, "key:ada"));
    expect(await firstMessage(tenant, id)).toMatchObject({ state: "parked", error: { code: "outcome_unknown" } });
    expect(await tenant.ask(id, "call calculate on 6*7")).toContain("42");
  });

  test("ends it by itself when nobody says anything in time, and takes no late word", async () => {
    const tenant = new TestTenant();
    const id = await diedInExternalCall(tenant, { daemon: true });
    const approval = await parked(tenant, id);
    await runInDurableObject(tenant.stub(id), (_object, { storage }) => {
      storage.sql.exec("UPDATE pending SET deadline_at = 1 WHERE state = 'parked'");
    });
    expect(await orders(tenant, id).decide(verdictOn(approval), "key:ada")).toMatchObject({
      error: { code: "conflict" },
    });
    await orders(tenant, id).run();
    expect((await firstMessage(tenant, id)).state).toBe("parked");
    await eventually(
      () => open(tenant),
      (all) => all.length === 0,
    );
  });

  test("takes no word about another attempt, another input or another call, and one word once", async () => {
    const tenant = new TestTenant();
    const id = await diedInExternalCall(tenant, { daemon: true });
    const verdict = verdictOn(await parked(tenant, id));
    for (const altered of [{ attempt: 2 }, { inputSha256: "0".repeat(64) }, { callId: "call_other" }]) {
      expect(await orders(tenant, id).decide({ ...verdict, ...altered }, "key:eve")).toMatchObject({
        error: { code: "conflict" },
      });
    }
    value(await orders(tenant, id).decide(verdict, "key:ada"));
    expect(await orders(tenant, id).decide(verdict, "key:ada")).toMatchObject({ error: { code: "conflict" } });
    expect(await kinds(tenant, id, "call.decided")).toBe(1);
  });

  test("takes decisions where there is an action, and answers where there is a question", async () => {
    const tenant = new TestTenant();
    const id = await diedInExternalCall(tenant, { daemon: true });
    const { id: approvalId } = await parked(tenant, id);
    for (const word of [{ answer: "yes" }, {}, { decision: "not_done", answer: "yes" }] as const) {
      expect(await tenant.core.answer(approvalId, word, "key:ada")).toMatchObject({ error: { code: "invalid_input" } });
    }
    value(await tenant.core.answer(approvalId, { decision: "not_done" }, "key:ada"));
    const [question] = await eventually(
      () => open(tenant),
      ([item]) => item?.kind === "question",
    );
    expect(await tenant.core.answer(question?.id ?? "", { decision: "done" }, "key:ada")).toMatchObject({
      error: { code: "invalid_input", issues: [{ path: "$.decision" }] },
    });
  });

  test("still waits after it was stopped and continued, and can be cancelled", async () => {
    const tenant = new TestTenant();
    const id = await diedInExternalCall(tenant, { daemon: true });
    await parked(tenant, id);
    value(await tenant.agent(id).signal("STOP", "key:test"));
    value(await tenant.agent(id).signal("CONT", "key:test"));
    await tenant.until(id, (block) => block.waitReason === "approval");
    const { items } = value(await tenant.agent(id).messages({ limit: 1 }));
    value(await tenant.agent(id).cancelMessage(items[0]?.id ?? "", "key:test"));
    expect((await firstMessage(tenant, id)).state).toBe("cancelled");
    await eventually(
      () => open(tenant),
      (all) => all.length === 0,
    );
  });

  test("ends when the call was its goal's and is given up", async () => {
    const tenant = new TestTenant();
    const id = await diedInExternalCall(tenant, {}, LIMITS.deathsPerCall - 1);
    value(await tenant.core.answer((await parked(tenant, id)).id, { decision: "abandon" }, "key:ada"));
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
