import { describe, expect, test } from "vitest";
import type { AgentCalls, AgentOrders } from "../../durable-objects/agent/rpc.ts";
import type { ControlBlock } from "../../kernel/process/block.ts";
import { awayCall, nextMessage, pump, sentMessage } from "../support/calls-queue.ts";
import { eventually, TestTenant, value } from "../support/tenant.ts";

/** The local queue lives in memory: when its runtime is killed, messages and consumers are gone at once. */

const SUM = "call calculate on 6*7";

/** A daemon of the batch lane whose message waits for its call. */
async function waiting(tenant: TestTenant) {
  const { id } = await tenant.spawn({ lane: "batch", daemon: true, goal: SUM });
  const idle = async () => (await tenant.block(id)).waitReason === "message";
  await pump(tenant, [id], (messages) => messages.map((call) => ({ call })), idle);
  const messageId = await tenant.send(id, SUM);
  return { id, messageId, call: await nextMessage(tenant, id) };
}

function calls(tenant: TestTenant, agentId: string): AgentCalls & AgentOrders {
  return tenant.stub(agentId) as unknown as AgentCalls & AgentOrders;
}

async function answered(tenant: TestTenant, id: string, messageId: string): Promise<void> {
  const idle = async () => (await tenant.block(id)).waitReason === "message";
  await pump(tenant, [id], (messages) => messages.map((call) => ({ call })), idle);
  expect((await tenant.ended(id, messageId)).reply).toBe("6*7 = 42");
}

describe("a queue that was lost with its consumers", () => {
  test("has its message sent again under the same id", async () => {
    const tenant = new TestTenant();
    const { id, messageId, call } = await waiting(tenant);
    value(await tenant.core.queueLost(Date.now() + 1));
    const again = await eventually(
      () => sentMessage(tenant, id),
      (message) => message?.attempt === 2,
    );
    expect(again).toEqual({ ...call, attempt: 2 });
    await answered(tenant, id, messageId);
    expect((await tenant.block(id)).usage.steps).toBe(4);
  });

  test("lost the claimed call too, which is made anew under another id, while its money stays reserved", async () => {
    const tenant = new TestTenant();
    const { id, messageId, call } = await waiting(tenant);
    value(await calls(tenant, id).claimCall(call, 1));
    value(await tenant.core.queueLost(Date.now() + 1));
    const anew = await eventually(
      () => sentMessage(tenant, id),
      (message) => message !== null && message.callId !== call.callId,
    );
    expect(await calls(tenant, id).claimCall(call, 2)).toMatchObject({ ok: false, error: { code: "conflict" } });
    expect(anew?.attempt).toBe(1);
    await answered(tenant, id, messageId);
    const { items } = value(await tenant.agent(id).audit({ limit: 100, action: "call.end" }));
    expect(items.filter(({ data }) => data["code"] === "lost").map(({ callId }) => callId)).toEqual([call.callId]);
  });

  test("leaves alone what was claimed after it began anew", async () => {
    const tenant = new TestTenant();
    const { id, call } = await waiting(tenant);
    const beganAt = Date.now();
    value(await calls(tenant, id).claimCall(call, 1));
    value(await tenant.core.queueLost(beganAt));
    value(await calls(tenant, id).renewCall(call.callId, 1));
    expect((await awayCall(tenant, id))?.state).toBe("claimed");
  });

  test("wakes nobody else: an agent of the other lane, one that waits for mail, one that ended", async () => {
    const tenant = new TestTenant();
    const idle = await tenant.daemon();
    const { id } = await tenant.spawn({ goal: SUM });
    await tenant.until(id, (block) => block.state === "terminated");
    const look = () => Promise.all([idle, id].map(async (agentId) => unmetered(await tenant.block(agentId))));
    const before = await look();
    value(await tenant.core.queueLost(Date.now() + 1));
    expect(await look()).toEqual(before);
  });
});

/** Without what the platform counts: looking is a request too. */
function unmetered({ usage: { platform, ...usage }, ...block }: ControlBlock): object {
  return { ...block, usage };
}
