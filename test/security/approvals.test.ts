import { runInDurableObject } from "cloudflare:test";
import { beforeAll, expect, test } from "vitest";
import type { ApprovalView } from "../../durable-objects/core/rpc.ts";
import type { Result } from "../../kernel/errors.ts";
import type { Verdict } from "../../kernel/process/parking.ts";
import { heldAgent, openApproval, ordersOf, tamper, verdictOn, writing, written } from "../support/held-calls.ts";
import { SeededRandom } from "../support/ports.ts";
import { whileRulesAreAsked } from "../support/slow-rules.ts";
import { eventually, TestTenant, value } from "../support/tenant.ts";
import { boot, request } from "../workers/kernel-client.ts";
import { newKey, newTenant } from "../workers/key-holders.ts";
import { figure } from "./figure.ts";

/**
 * Approvals that somebody altered, kept too long or used before, 1,000 of them from one seed: none lets a call run. Each is
 * given where it would count: to the agent, as a core would that was lied to, or to the core, or to the API with a key.
 */

const ATTEMPTS = 1_000;
const KEY = "key:ada";

interface Held {
  id: string;
  approval: ApprovalView;
}

let tenant: TestTenant;
let other: TestTenant;
let open: Held[];
let foreign: Held;
let used: Held;
let denied: Held;
let expired: Held;
let ended: Held;
let unused: Held;
let viewer: string;
let stranger: string;
const random = new SeededRandom(7);

beforeAll(async () => {
  boot();
  const name = await newTenant("home");
  const away = await newTenant("away");
  tenant = new TestTenant(name);
  other = new TestTenant(away);
  open = [await heldAgent(tenant), await heldAgent(tenant), await heldAgent(tenant, "b.txt")];
  foreign = await heldAgent(other);
  [used, denied, expired, ended, unused] = [
    await heldAgent(tenant),
    await heldAgent(tenant),
    await heldAgent(tenant),
    await heldAgent(tenant),
    await heldAgent(tenant),
  ];
  value(await tenant.core.answer(used.approval.id, { decision: "approve" }, KEY));
  value(await tenant.core.answer(denied.approval.id, { decision: "deny" }, KEY));
  await tamper(tenant, expired.id, "UPDATE pending SET deadline_at = ? WHERE state = 'held'", Date.now() - 1);
  value(await tenant.agent(ended.id).signal("KILL", KEY));
  for (const { id } of [used, denied])
    await tenant.until(id, (block) => block.state === "waiting" && block.waitReason === "message");
  value(await tenant.agent(unused.id).signal("STOP", KEY));
  value(await tenant.core.answer(unused.approval.id, { decision: "approve" }, KEY));
  viewer = (await newKey("viewer", name)).key;
  stranger = (await newKey("operator", away)).key;
});

function pick<T>(items: readonly T[]): T {
  const [byte = 0] = random.bytes(1);
  return items[byte % items.length] as T;
}

/** The same text with one character changed, somewhere. */
function altered(text = ""): string {
  const [at = 0, by = 0] = random.bytes(2);
  const index = at % text.length;
  const digit = (Number.parseInt(text[index] ?? "0", 16) + 1 + (by % 15)) % 16;
  return text.slice(0, index) + digit.toString(16) + text.slice(index + 1);
}

function decide(held: Held, change: Partial<Verdict>, actor = KEY): Promise<Result<unknown>> {
  return ordersOf(tenant, held.id).decide({ ...verdictOn(held.approval), ...change }, actor);
}

function replayed({ id, approval }: Held): Promise<Result<unknown>> {
  const { actionSha256 } = approval.action ?? {};
  return pick([
    () => ordersOf(tenant, id).decide(verdictOn(approval), KEY),
    () => tenant.core.answer(approval.id, { decision: "approve", actionSha256 }, KEY) as Promise<Result<unknown>>,
  ])();
}

async function posted({ approval }: Held, key: string): Promise<Result<unknown>> {
  const { status } = await request("POST", `/v1/approvals/${approval.id}`, { key, body: { decision: "approve" } });
  return status < 300 ? { ok: true, value: status } : { ok: false, error: { code: "forbidden", message: "" } };
}

const ATTACKS: Record<string, () => Promise<Result<unknown>>> = {
  "another action": () => {
    const held = pick(open);
    return decide(held, { actionSha256: altered(held.approval.action?.actionSha256) });
  },
  "no action at all": () => decide(pick(open), { actionSha256: undefined }),
  "another input": () => {
    const held = pick(open);
    return decide(held, { inputSha256: altered(held.approval.action?.inputSha256) });
  },
  "another attempt": () => decide(pick(open), { attempt: pick([1, 2, -1, 7]) }),
  "another call": () => decide(pick(open), { callId: foreign.approval.action?.callId ?? "" }),
  "the approval of another agent": () => {
    const [one, two] = pick([open, open.toReversed()]);
    return ordersOf(tenant, one?.id ?? "").decide(verdictOn((two as Held).approval), KEY);
  },
  "another call's name on this agent's approval": () => {
    const [one, two] = open as [Held, Held];
    return decide(one, { callId: two.approval.action?.callId ?? "" });
  },
  "the hash of another agent's same action": () => {
    const [one, two] = open as [Held, Held];
    return decide(one, { actionSha256: two.approval.action?.actionSha256 });
  },
  "another tenant's core": () => other.core.answer(pick(open).approval.id, { decision: "approve" }, KEY),
  "an action that the person did not see": () => {
    const { approval } = pick(open);
    return tenant.core.answer(
      approval.id,
      { decision: "approve", actionSha256: altered(approval.action?.actionSha256) },
      KEY,
    );
  },
  "a decision of another kind": () => decide(pick(open), { decision: pick(["done", "not_done", "abandon"] as const) }),
  "a second use": () => replayed(used),
  "a second yes before the first was used": () => replayed(unused),
  "a use after a no": () => replayed(denied),
  "a use after its time": () => replayed(expired),
  "a use after the end of the process": () => replayed(ended),
  "the agent's own word": () => {
    const held = pick(open);
    return decide(held, {}, `agent:${held.id}`);
  },
  "the agent's own word to the core": () => {
    const { id, approval } = pick(open);
    return tenant.core.answer(approval.id, { decision: "approve" }, `agent:${id}`);
  },
  "a viewer's key": () => posted(pick(open), viewer),
  "another tenant's key": () => posted(pick(open), stranger),
};

test("1,000 altered, expired and replayed approvals let nothing run, and the good ones do", async () => {
  const names = Object.keys(ATTACKS);
  const accepted: string[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const name = names[attempt % names.length] ?? "";
    if ((await ATTACKS[name]?.())?.ok !== false) accepted.push(name);
  }
  expect([...new Set(accepted)]).toEqual([]);
  for (const { id } of [...open, denied, expired]) expect(await written(tenant, id)).toEqual([]);
  expect(await written(other, foreign.id)).toEqual([]);
  expect(await written(tenant, used.id)).toEqual(["/workspace/a.txt@1"]);
  for (const { id, approval } of open) {
    const { actionSha256 } = approval.action ?? {};
    value(await tenant.core.answer(approval.id, { decision: "approve", actionSha256 }, KEY));
    await tenant.until(id, (block) => block.state === "waiting" && block.waitReason === "message");
    expect(await written(tenant, id)).toHaveLength(1);
  }
  figure(
    "S7",
    `1,000 altered, expired, replayed approvals: ${accepted.length} accepted; ${open.length} good ones: ran once each`,
  );
});

test("50 calls that were changed between the yes and the run are asked about anew", async () => {
  const { id, approval } = await heldAgent(tenant, "first.txt");
  let next = approval;
  for (let round = 0; round < 50; round++) {
    value(await tenant.agent(id).signal("STOP", KEY));
    value(await tenant.core.answer(next.id, { decision: "approve" }, KEY));
    const input = JSON.stringify({ path: `changed-${round}.txt`, content: "other" });
    await tamper(tenant, id, "UPDATE pending SET input = ? WHERE name = 'file_write'", input);
    value(await tenant.agent(id).signal("CONT", KEY));
    next = await openApproval(tenant, id);
    expect(next.action?.input).toContain(`changed-${round}.txt`);
  }
  expect(await written(tenant, id)).toEqual([]);
  figure("S7", "50 calls changed between the yes and the run: 0 ran");
});

/** An agent whose calls of `tool` ask, and are answered with yes by a rule of the operator. */
async function ruledAgent(tool: string): Promise<string> {
  const id = await tenant.daemon({ daemon: true, approvals: { tools: [tool] } });
  const rule = { decision: "approve", scope: "agent", agentId: id, tool, for: "tool" } as const;
  value(await tenant.core.addApprovalRule(rule, { actor: KEY }));
  return id;
}

/** Files and notes of the agent's own making. */
async function made(id: string): Promise<string[]> {
  const pages = value(await tenant.agent(id).pages({ limit: 50 })).items;
  return [...(await written(tenant, id)), ...pages.flatMap(({ kind }) => (kind === "note" ? [kind] : []))];
}

/** Each act of the story sets the alarm, and it is gone when the slice that waited for the rules is over. */
async function atRest(id: string): Promise<void> {
  const alarm = () => runInDurableObject(tenant.stub(id), (_object, { storage }) => storage.getAlarm());
  await tenant.until(id, ({ state, waitReason }) => state === "terminated" || waitReason === "message");
  await eventually(alarm, (at) => at === null);
}

const NOTING = 'call memory_note {"content": "written"}';

/** What takes a call's reason or its right away. A file is written by a call with a deadline, a note in the call's own transaction. */
const MEANWHILE: Record<string, { tool: string; say: string; act(id: string): Promise<unknown> }> = {
  "the message is cancelled": {
    tool: "memory_note",
    say: NOTING,
    act: async (id) => {
      const { items } = value(await tenant.agent(id).messages({ limit: 10 }));
      return value(await tenant.agent(id).cancelMessage(items.at(-1)?.id ?? "", KEY));
    },
  },
  "the process is ended": {
    tool: "memory_note",
    say: NOTING,
    act: async (id) => value(await tenant.agent(id).signal("KILL", KEY)),
  },
  "the level is taken away": {
    tool: "file_write",
    say: writing("a.txt"),
    act: async (id) => value(await ordersOf(tenant, id).patch({ permissionLevel: "RESTRICTED" }, KEY)),
  },
  "the tool is denied": {
    tool: "file_write",
    say: writing("a.txt"),
    act: async (id) => value(await ordersOf(tenant, id).patch({ denials: { tools: ["file_write"] } }, KEY)),
  },
};

test("what the rules allow does not run when its reason ended, or its right, while they were asked", async () => {
  const ran: string[] = [];
  const rounds = 5;
  for (const [what, { tool, say, act }] of Object.entries(MEANWHILE)) {
    for (let round = 0; round < rounds; round++) {
      const id = await ruledAgent(tool);
      await whileRulesAreAsked(
        () => tenant.send(id, say),
        () => act(id),
      );
      await atRest(id);
      if ((await made(id)).length > 0) ran.push(what);
    }
    const id = await ruledAgent(tool);
    await whileRulesAreAsked(
      () => tenant.send(id, say),
      async () => {},
    );
    await atRest(id);
    expect(await made(id)).toHaveLength(1);
  }
  expect([...new Set(ran)]).toEqual([]);
  const calls = rounds * Object.keys(MEANWHILE).length;
  figure("S7", `${calls} calls that lost their reason or their right while the rules were asked: ${ran.length} ran`);
});

test("a yes for one message is no yes for the same words in the next", async () => {
  const { id, approval } = await heldAgent(tenant);
  value(await tenant.core.answer(approval.id, { decision: "approve" }, KEY));
  await tenant.until(id, (block) => block.state === "waiting" && block.waitReason === "message");
  await tenant.send(id, writing("a.txt"));
  const again = await openApproval(tenant, id);
  expect(again.action?.actionSha256).not.toBe(approval.action?.actionSha256);
  expect(await written(tenant, id)).toEqual(["/workspace/a.txt@1"]);
});
