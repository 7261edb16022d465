import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { AgentCalls } from "../../durable-objects/agent/rpc.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { ChatOutcome } from "../../kernel/llm/provider.ts";
import type { CallMessage } from "../../kernel/process/call-message.ts";
import { nextMessage, overdue } from "../support/calls-queue.ts";
import { eventually, TestTenant, value } from "../support/tenant.ts";

/** An agent whose call is an economy pool's, as the pool sees it. No vendor here has a Batch API, so the stories say that one has. */

const GOAL = "call calculate on 6*7";
const POOLED = "UPDATE pending SET input = json_set(input, '$.pooled', json('true'), '$.callMs', ?)";

const SAID: ChatOutcome = {
  ok: true,
  reply: {
    content: "done",
    reasoning: "",
    toolCalls: [],
    finishReason: "stop",
    usage: { promptTokens: 11, cachedTokens: 0, completionTokens: 3, reasoningTokens: 0, estimated: false },
  },
};

async function pooled(): Promise<{ tenant: TestTenant; id: string; call: CallMessage; agent: AgentCalls }> {
  const tenant = new TestTenant();
  const { id } = await tenant.spawn({ lane: "economy", goal: GOAL });
  const call = await nextMessage(tenant, id);
  await runInDurableObject(tenant.stub(id), (_object, { storage }) => {
    storage.sql.exec(POOLED, LIMITS.economyCallMs);
  });
  return { tenant, id, call, agent: tenant.stub(id) as unknown as AgentCalls };
}

describe("a call that an economy pool makes", () => {
  test("is handed over again to the pool that did not hear the answer, and to nobody else", async () => {
    const { tenant, id, call, agent } = await pooled();
    const first = value(await agent.claimCall(call, 1));
    expect(value(await agent.claimCall(call, 1)).request).toEqual(first.request);
    expect(await agent.claimCall({ ...call, attempt: 2 }, 1)).toMatchObject({ ok: false, error: { code: "conflict" } });
    value(await agent.deliverCall(call.callId, 1, SAID));
    expect(await agent.claimCall(call, 1)).toMatchObject({ ok: false, error: { code: "conflict" } });
    const { result, usage } = await tenant.until(id, ({ state }) => state === "terminated");
    expect({ result, steps: usage.steps }).toEqual({ result: "done", steps: 1 });
  });

  test("is waited for while the queue forgets all, and its agent reminds the pool", async () => {
    const { tenant, id, call, agent } = await pooled();
    value(await agent.claimCall(call, 1));
    const stub = tenant.stub(id) as unknown as { queueLost(at: number): Promise<unknown>; alarm(): Promise<void> };
    await stub.queueLost(Date.now() + 1_000);
    const due = () =>
      runInDurableObject(tenant.stub(id), (_object, { storage }) => {
        return storage.sql.exec("SELECT state, deadline_at FROM pending").one() as {
          state: string;
          deadline_at: number;
        };
      });
    expect((await due()).deadline_at).toBeGreaterThan(Date.now() + LIMITS.economyNudgeMs / 2);
    await overdue(tenant, id);
    const reminded = await eventually(due, ({ deadline_at: at }) => at > Date.now() + LIMITS.economyNudgeMs / 2);
    expect(reminded.state).toBe("claimed");
    value(await agent.deliverCall(call.callId, 1, SAID));
    expect((await tenant.until(id, (block) => block.state === "terminated")).result).toBe("done");
  });

  test("that the pool declines costs nothing, and the agent goes on in the batch lane", async () => {
    const { tenant, id, call, agent } = await pooled();
    value(await agent.claimCall(call, 1));
    value(await agent.declineCall(call.callId, 1));
    value(await agent.declineCall(call.callId, 1));
    const next = await nextMessage(tenant, id);
    expect(next.lane).toBeUndefined();
    expect(next.callId).not.toBe(call.callId);
    expect((await tenant.block(id)).lane).toBe("batch");
    const { entries } = value(await tenant.agent(id).log({ after: 0, limit: 100 }));
    expect(entries.find(({ kind }) => kind === "lane.change")?.data).toMatchObject({ from: "economy", to: "batch" });
  });
});
