import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../kernel/limits.ts";
import {
  ASKING,
  heldAgent,
  openApproval,
  ordersOf,
  tamper,
  verdictOn,
  writing,
  written,
} from "../support/held-calls.ts";
import { eventually, TestTenant, value } from "../support/tenant.ts";

/** Calls that run only when a person says so. */

const KEY = "key:ada";

async function idle(tenant: TestTenant, id: string): Promise<void> {
  await tenant.until(id, (block) => block.state === "waiting" && block.waitReason === "message");
}

async function endCodes(tenant: TestTenant, id: string): Promise<unknown[]> {
  const { items } = value(await tenant.agent(id).audit({ limit: 50, action: "call.end" }));
  return items.filter(({ data }) => data["name"] === "file_write").map(({ data }) => data["code"] ?? "ok");
}

describe("a call of a tool that always asks", () => {
  test("waits for a person through an eviction, with nothing but an alarm at its expiry, and shows the whole action", async () => {
    const tenant = new TestTenant();
    const { id, approval } = await heldAgent(tenant);
    expect(approval).toMatchObject({
      kind: "approval",
      options: ["approve", "deny"],
      action: {
        tool: "file_write",
        input: '{"content":"written","path":"a.txt"}',
        actionSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        reasons: [{ kind: "setting" }],
      },
    });
    await evictDurableObject(tenant.stub(id));
    const alarm = () => runInDurableObject(tenant.stub(id), (_object, state) => state.storage.getAlarm());
    await eventually(alarm, (at) => at === Date.parse(approval.expiresAt ?? ""));
    expect(await written(tenant, id)).toEqual([]);
  });

  test("runs once when it is approved, and both chains say who said so", async () => {
    const tenant = new TestTenant();
    const { id, approval } = await heldAgent(tenant);
    const { actionSha256 } = approval.action ?? {};
    const said = value(await tenant.core.answer(approval.id, { decision: "approve", actionSha256 }, KEY));
    expect(said).toMatchObject({ state: "answered", decision: "approve" });
    await idle(tenant, id);
    expect(await written(tenant, id)).toEqual(["/workspace/a.txt@1"]);
    const log = value(await tenant.agent(id).audit({ limit: 100 })).items;
    expect(log.filter(({ kind }) => kind === "call.decided")).toMatchObject([{ actor: KEY, data: { actionSha256 } }]);
    expect(log.filter(({ kind }) => kind === "call.consented")).toMatchObject([{ data: { by: KEY, actionSha256 } }]);
    expect(await ordersOf(tenant, id).decide(verdictOn(approval), KEY)).toMatchObject({ error: { code: "conflict" } });
  });

  test("is not run when it is denied, and the agent is told why", async () => {
    const tenant = new TestTenant();
    const { id, approval } = await heldAgent(tenant);
    value(await tenant.core.answer(approval.id, { decision: "deny", note: "wrong folder" }, KEY));
    await idle(tenant, id);
    expect(await endCodes(tenant, id)).toEqual(["denied"]);
    const { items } = value(await tenant.agent(id).messages({ limit: 10 }));
    expect(items.at(-1)?.reply).toContain("wrong folder");
    expect(await written(tenant, id)).toEqual([]);
  });

  test("ends by itself when nobody says yes in time", async () => {
    const tenant = new TestTenant();
    const { id, approval } = await heldAgent(tenant);
    await tamper(tenant, id, "UPDATE pending SET deadline_at = ? WHERE state = 'held'", Date.now() - 1);
    expect(await ordersOf(tenant, id).decide(verdictOn(approval), KEY)).toMatchObject({ error: { code: "conflict" } });
    value(await ordersOf(tenant, id).run());
    await idle(tenant, id);
    expect(await endCodes(tenant, id)).toEqual(["approval_expired"]);
  });

  test("is asked about anew when its input changed after the yes", async () => {
    const tenant = new TestTenant();
    const { id, approval } = await heldAgent(tenant);
    value(await tenant.agent(id).signal("STOP", KEY));
    value(await tenant.core.answer(approval.id, { decision: "approve" }, KEY));
    await tamper(
      tenant,
      id,
      `UPDATE pending SET input = '{"path":"b.txt","content":"other"}' WHERE name = 'file_write'`,
    );
    value(await tenant.agent(id).signal("CONT", KEY));
    const second = await openApproval(tenant, id);
    expect(second.id).not.toBe(approval.id);
    expect(second.action?.input).toContain("b.txt");
    expect(await written(tenant, id)).toEqual([]);
  });

  test("does not run on a yes that has lain too long", async () => {
    const tenant = new TestTenant();
    const { id, approval } = await heldAgent(tenant);
    value(await tenant.agent(id).signal("STOP", KEY));
    value(await tenant.core.answer(approval.id, { decision: "approve" }, KEY));
    await tamper(
      tenant,
      id,
      "UPDATE pending SET outcome = json_set(outcome, '$.consent.expiresAt', ?) WHERE name = 'file_write'",
      Date.now() - 1,
    );
    value(await tenant.agent(id).signal("CONT", KEY));
    await idle(tenant, id);
    expect(await endCodes(tenant, id)).toEqual(["approval_expired"]);
  });

  test("cannot be approved when it is more than a person is shown", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon(ASKING);
    const content = "x".repeat(LIMITS.approvalInputBytes);
    await tenant.ask(id, `call file_write {"path": "big.txt", "content": "${content}"}`);
    expect(await endCodes(tenant, id)).toEqual(["too_large"]);
  });

  test("is asked about from the next call on when an operator says so, and by children from their birth", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    await tenant.ask(id, writing("a.txt"));
    value(await tenant.core.patch(id, { approvals: { tools: ["file_write"] } }, KEY));
    await tenant.send(id, writing("b.txt"));
    await openApproval(tenant, id);
    const child = await tenant.daemon({ parentId: id, approvals: { tools: ["exit"] } });
    expect((await tenant.block(child)).approvals?.tools).toEqual(["file_write", "exit"]);
    expect(await written(tenant, id)).toEqual(["/workspace/a.txt@1"]);
  });
});

test("an agent answers no question that waits for a person", async () => {
  const tenant = new TestTenant();
  const { id } = await tenant.spawn({ goal: 'call ask_person {"question": "May I?"}' });
  const question = await openApproval(tenant, id);
  expect(await tenant.core.answer(question.id, { answer: "yes" }, `agent:${id}`)).toMatchObject({
    error: { code: "forbidden" },
  });
  value(await tenant.core.answer(question.id, { answer: "yes" }, KEY));
});

describe("what cannot be undone", () => {
  const erase = 'call http_request {"method": "DELETE", "url": "https://books.example.com/7"}';
  const hosts = ["books.example.com"];

  test("asks first below FULL", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon({ permissionLevel: "ADVANCED", grants: { hosts } });
    await tenant.send(id, erase);
    expect((await openApproval(tenant, id)).action).toMatchObject({
      host: "books.example.com",
      reasons: [{ kind: "irreversible", message: "DELETE https://books.example.com/7 cannot be undone" }],
    });
  });

  test("may not be done at all without the level for it, approved or not", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon({ permissionLevel: "ADVANCED", grants: { hosts } });
    await tenant.send(id, erase);
    const approval = await openApproval(tenant, id);
    value(await tenant.agent(id).signal("STOP", KEY));
    value(await tenant.core.patch(id, { permissionLevel: "RESTRICTED" }, KEY));
    value(await tenant.core.answer(approval.id, { decision: "approve" }, KEY));
    value(await tenant.agent(id).signal("CONT", KEY));
    await idle(tenant, id);
    const { items } = value(await tenant.agent(id).audit({ limit: 50, action: "call.end" }));
    expect(items.find(({ data }) => data["name"] === "http_request")?.data["code"]).toBe("forbidden");
  });
});

describe("a rule", () => {
  test("made with a yes answers the same action until it is deleted, and is in the chain", async () => {
    const tenant = new TestTenant();
    const { id, approval } = await heldAgent(tenant);
    const remember = { scope: "agent", for: "tool" } as const;
    value(await tenant.core.answer(approval.id, { decision: "approve", remember }, KEY));
    await idle(tenant, id);
    await tenant.ask(id, writing("b.txt"));
    expect(await written(tenant, id)).toEqual(["/workspace/a.txt@1", "/workspace/b.txt@1"]);
    const [rule] = value(await tenant.core.approvalRules({ limit: 10 })).items;
    expect(rule).toMatchObject({ decision: "approve", scope: "agent", agentId: id, tool: "file_write", by: KEY });
    value(await tenant.core.deleteApprovalRule(rule?.id ?? "", KEY));
    await tenant.send(id, writing("c.txt"));
    await openApproval(tenant, id);
    const kinds = value(await tenant.core.audit({ limit: 100 })).items.map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(["rule.add", "rule.delete"]));
  });

  test("for exactly one input, or for one agent, answers nothing else", async () => {
    const tenant = new TestTenant();
    const { id, approval } = await heldAgent(tenant);
    value(await tenant.core.answer(approval.id, { decision: "approve", remember: { scope: "agent" } }, KEY));
    await idle(tenant, id);
    await tenant.ask(id, writing("a.txt"));
    expect(await written(tenant, id)).toEqual(["/workspace/a.txt@2"]);
    await tenant.send(id, writing("b.txt"));
    await openApproval(tenant, id);
    const other = await heldAgent(tenant);
    expect(await written(tenant, other.id)).toEqual([]);
  });

  test("that says no counts before one that says yes, and one for a tree reaches its leaves", async () => {
    const tenant = new TestTenant();
    const root = await tenant.daemon(ASKING);
    const leaf = await tenant.daemon({ ...ASKING, parentId: root });
    const about = { scope: "subtree", agentId: root, tool: "file_write", for: "tool" } as const;
    value(await tenant.core.addApprovalRule({ ...about, decision: "approve" }, { actor: KEY }));
    await tenant.ask(leaf, writing("a.txt"));
    value(await tenant.core.addApprovalRule({ ...about, decision: "deny" }, { actor: KEY }));
    await tenant.ask(leaf, writing("b.txt"));
    expect(await endCodes(tenant, leaf)).toEqual(["ok", "denied"]);
  });
});
