import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { AgentCalls } from "../../durable-objects/agent/rpc.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { ChatOutcome } from "../../kernel/llm/provider.ts";
import { awayCall, CALLS, deliver, nextMessage, overdue, pump, sentMessage } from "../support/calls-queue.ts";
import { eventually, TestTenant, value } from "../support/tenant.ts";

const BATCH = { lane: "batch" } as const;
const SUM = "call calculate on 6*7";

/** The agent as the consumer of the queue sees it. */
function calls(tenant: TestTenant, agentId: string): AgentCalls {
  return tenant.stub(agentId) as unknown as AgentCalls;
}

/** A daemon of the batch lane that has done its goal. */
async function daemon(tenant: TestTenant): Promise<string> {
  const { id } = await tenant.spawn({ ...BATCH, daemon: true, goal: SUM });
  await pump(
    tenant,
    [id],
    (messages) => messages.map((call) => ({ call })),
    async () => (await tenant.block(id)).waitReason === "message",
  );
  return id;
}

/** One agent's row of the bill. */
async function billed(tenant: TestTenant, agentId: string) {
  const { items } = value(await tenant.core.costs({ groupBy: "agent" }));
  return items.find(({ key }) => key === agentId);
}

/** A daemon with a message, whose call a consumer has claimed. */
async function claimed(tenant: TestTenant) {
  const id = await daemon(tenant);
  const messageId = await tenant.send(id, SUM);
  const call = await nextMessage(tenant, id);
  value(await calls(tenant, id).claimCall(call, 1));
  return { id, messageId, call };
}

const SAID: ChatOutcome = {
  ok: true,
  reply: {
    content: "late",
    reasoning: "",
    toolCalls: [],
    finishReason: "stop",
    usage: { promptTokens: 11, cachedTokens: 0, completionTokens: 3, reasoningTokens: 0, estimated: false },
  },
};

describe("a call of the batch lane", () => {
  test("waits in the queue, holds money and no slot, and answers when a consumer has made it", async () => {
    const tenant = new TestTenant();
    const { id, lane } = await tenant.spawn({ ...BATCH, goal: SUM });
    expect(lane).toBe("batch");
    const call = await nextMessage(tenant, id);
    const waiting = await tenant.until(id, (block) => block.state === "waiting");
    expect(waiting.waitReason).toBe("llm");
    await runInDurableObject(tenant.coreStub, (_object, { storage }) => {
      expect(storage.sql.exec("SELECT * FROM slots").toArray()).toEqual([]);
      expect(storage.sql.exec("SELECT id, state FROM calls").toArray()).toEqual([{ id: call.callId, state: "open" }]);
    });
    expect(await deliver([{ call }])).toEqual({ acked: [0], retried: [] });
    await deliver([{ call: await nextMessage(tenant, id) }]);
    const done = await tenant.until(id, (block) => block.state === "terminated");
    expect(done).toMatchObject({ result: "6*7 = 42", usage: { steps: 2, toolCalls: 1 } });
    const row = await eventually(
      () => billed(tenant, id),
      (found) => found?.calls === 2,
    );
    expect(row).toMatchObject({ unknown: 0, promptTokens: done.usage.promptTokens });
  });

  test("survives the eviction of its object, before the claim and after it", async () => {
    const tenant = new TestTenant();
    const id = await daemon(tenant);
    const messageId = await tenant.send(id, SUM);
    const call = await nextMessage(tenant, id);
    await evictDurableObject(tenant.stub(id));
    const { request } = value(await calls(tenant, id).claimCall(call, 1));
    expect(request.messages.at(-1)).toMatchObject({ role: "user", content: SUM });
    await evictDurableObject(tenant.stub(id));
    value(await calls(tenant, id).deliverCall(call.callId, 1, SAID));
    expect((await tenant.ended(id, messageId)).reply).toBe("late");
  });

  test("counts one outcome, however often it is delivered", async () => {
    const tenant = new TestTenant();
    const { id, messageId, call } = await claimed(tenant);
    for (let i = 0; i < 3; i++) value(await calls(tenant, id).deliverCall(call.callId, 1, SAID));
    expect((await tenant.ended(id, messageId)).reply).toBe("late");
    expect((await tenant.block(id)).usage.steps).toBe(3);
    expect(value(await tenant.agent(id).verify()).ok).toBe(true);
  });

  test("is refused to a second claimer, and to a message that comes back after its end", async () => {
    const tenant = new TestTenant();
    const { id, call } = await claimed(tenant);
    const conflict = { ok: false, error: { code: "conflict" } };
    expect(await calls(tenant, id).claimCall(call, 1)).toMatchObject(conflict);
    expect(await calls(tenant, id).claimCall({ ...call, attempt: 2 }, 1)).toMatchObject(conflict);
    value(await calls(tenant, id).deliverCall(call.callId, 1, SAID));
    expect(await calls(tenant, id).claimCall(call, 2)).toMatchObject(conflict);
  });

  test("whose prompt was changed meanwhile is withdrawn unpaid and asked for anew", async () => {
    const tenant = new TestTenant();
    const id = await daemon(tenant);
    const messageId = await tenant.send(id, SUM);
    const stale = await nextMessage(tenant, id);
    value(await tenant.agent(id).addPages({ content: "The lease was signed by Ada.", pinned: true }, "key:test"));
    expect(await deliver([{ call: stale }])).toEqual({ acked: [0], retried: [] });
    const fresh = await eventually(
      () => nextMessage(tenant, id),
      ({ callId }) => callId !== stale.callId,
    );
    await deliver([{ call: fresh }]);
    await deliver([{ call: await nextMessage(tenant, id) }]);
    expect((await tenant.ended(id, messageId)).reply).toBe("6*7 = 42");
    const row = await eventually(
      () => billed(tenant, id),
      (found) => found?.calls === 5,
    );
    expect(row?.promptTokens).toBe((await tenant.block(id)).usage.promptTokens);
  });
});

describe("a queue that doubles half of its deliveries and shuffles all", () => {
  test("has every message answered once, and every call billed once", async () => {
    const tenant = new TestTenant();
    const ids = await Promise.all(Array.from({ length: 6 }, () => daemon(tenant)));
    const sent = await Promise.all(
      ids.flatMap((id, i) =>
        [1, 2, 3].map(async (n) => {
          const messageId = await tenant.send(id, `call calculate on ${i}*100+${n}`);
          return { id, messageId, reply: `${i}*100+${n} = ${i * 100 + n}` };
        }),
      ),
    );
    const old: string[] = [];
    await pump(
      tenant,
      ids,
      (messages) => {
        const doubled = messages.filter((_, i) => i % 2 === 0);
        const late = old.splice(0).map((text) => JSON.parse(text) as (typeof messages)[number]);
        old.push(...messages.map((message) => JSON.stringify(message)));
        return shuffled([...messages, ...doubled, ...late]).map((call) => ({ call }));
      },
      async () => {
        const blocks = await Promise.all(ids.map((id) => tenant.block(id)));
        return blocks.every((block) => block.waitReason === "message");
      },
    );
    const replies = await Promise.all(sent.map(({ id, messageId }) => tenant.ended(id, messageId)));
    expect(replies.map(({ state, reply }) => [state, reply])).toEqual(sent.map(({ reply }) => ["answered", reply]));
    for (const id of ids) {
      const { usage } = await tenant.block(id);
      expect(usage.steps).toBe(8);
      const row = await eventually(
        () => billed(tenant, id),
        (found) => found?.calls === 8,
      );
      expect(row?.unknown).toBe(0);
    }
  });

  function shuffled<T>(items: T[]): T[] {
    return items
      .map((item) => ({ item, at: Math.random() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ item }) => item);
  }
});

describe("identical calls of one tenant in one batch", () => {
  test("share one, which pays for all", async () => {
    const tenant = new TestTenant();
    const agents = await Promise.all([1, 2, 3].map(() => tenant.spawn({ ...BATCH, goal: SUM })));
    const ids = agents.map(({ id }) => id);
    const messages = await Promise.all(ids.map((id) => nextMessage(tenant, id)));
    expect(new Set(messages.map(({ hash }) => hash)).size).toBe(1);
    expect(await deliver(messages.map((call) => ({ call })))).toEqual({ acked: [0, 1, 2], retried: [] });
    const rows = await eventually(
      () => Promise.all(ids.map((id) => billed(tenant, id))),
      (found) => found.every((row) => row !== undefined && row.calls > 0),
    );
    expect(rows.map((row) => (row?.promptTokens ?? 0) > 0)).toEqual([true, false, false]);
    const [, joined] = ids;
    const { entries } = value(await tenant.agent(joined ?? "").log({ after: 0, limit: 100 }));
    const end = entries.find(({ kind, callId }) => kind === "call.end" && callId === messages[1]?.callId);
    expect(end?.data).toMatchObject({ ok: true, joinedTo: messages[0]?.callId });
  });

  test("of another tenant do not", async () => {
    const tenants = [new TestTenant(), new TestTenant()];
    const agents = await Promise.all(tenants.map((tenant) => tenant.spawn({ ...BATCH, goal: SUM })));
    const messages = await Promise.all(tenants.map((tenant, i) => nextMessage(tenant, agents[i]?.id ?? "")));
    await deliver(messages.map((call) => ({ call })));
    for (const [i, tenant] of tenants.entries()) {
      const row = await eventually(
        () => billed(tenant, agents[i]?.id ?? ""),
        (found) => found !== undefined && found.calls > 0,
      );
      expect(row?.promptTokens).toBeGreaterThan(0);
    }
  });
});

describe("cancelling the message", () => {
  test("before the claim costs nothing, and the message finds nobody", async () => {
    const tenant = new TestTenant();
    const id = await daemon(tenant);
    const before = (await tenant.block(id)).usage.costNanoUsd;
    const messageId = await tenant.send(id, SUM);
    const call = await nextMessage(tenant, id);
    value(await tenant.agent(id).cancelMessage(messageId, "key:test"));
    expect(await deliver([{ call }])).toEqual({ acked: [0], retried: [] });
    const row = await eventually(
      () => billed(tenant, id),
      (found) => found?.calls === 3,
    );
    expect(row).toMatchObject({ unknown: 0 });
    expect(row?.promptTokens).toBe((await tenant.block(id)).usage.promptTokens);
    expect((await tenant.block(id)).usage.costNanoUsd).toBe(before);
  });

  test("between claim and delivery counts at the bound until the late result is billed, which is not applied", async () => {
    const tenant = new TestTenant();
    const { id, messageId, call } = await claimed(tenant);
    const before = (await tenant.block(id)).usage;
    value(await tenant.agent(id).cancelMessage(messageId, "key:test"));
    await eventually(
      () => billed(tenant, id),
      (row) => row?.unknown === 1 && row.promptTokens > before.promptTokens + 11,
    );
    for (let i = 0; i < 2; i++) value(await calls(tenant, id).deliverCall(call.callId, 1, SAID));
    const row = await eventually(
      () => billed(tenant, id),
      (found) => found?.unknown === 0,
    );
    expect(row?.promptTokens).toBe(before.promptTokens + 11);
    expect(await tenant.block(id)).toMatchObject({
      waitReason: "message",
      usage: { steps: before.steps, promptTokens: before.promptTokens + 11 },
    });
    expect((await tenant.ended(id, messageId)).state).toBe("cancelled");
  });
});

describe("a message that the queue lost", () => {
  test("is sent again by the alarm, later each time, and the first one is as good", async () => {
    const tenant = new TestTenant();
    const id = await daemon(tenant);
    const messageId = await tenant.send(id, SUM);
    const first = await nextMessage(tenant, id);
    for (let attempt = 2; attempt <= 4; attempt++) {
      await overdue(tenant, id);
      const again = await sentMessage(tenant, id);
      expect(again).toEqual({ ...first, attempt });
      const { deadline_at: dueAt } = (await awayCall(tenant, id)) ?? { deadline_at: 0 };
      expect(dueAt - Date.now()).toBeGreaterThan(LIMITS.callResendMs * (2 ** (attempt - 1) - 1));
    }
    await deliver([{ call: first }, { call: { ...first, attempt: 3 } }]);
    await deliver([{ call: await nextMessage(tenant, id) }]);
    expect((await tenant.ended(id, messageId)).reply).toBe("6*7 = 42");
    expect((await tenant.block(id)).usage.steps).toBe(4);
  });

  test("again and again fails the agent's message at last, unpaid", async () => {
    const tenant = new TestTenant();
    const id = await daemon(tenant);
    const messageId = await tenant.send(id, SUM);
    const call = await nextMessage(tenant, id);
    for (let attempt = 2; attempt <= LIMITS.callSends; attempt++) await overdue(tenant, id);
    expect((await sentMessage(tenant, id))?.attempt).toBe(LIMITS.callSends);
    await overdue(tenant, id);
    expect(await tenant.ended(id, messageId)).toMatchObject({ state: "failed", error: { code: "unavailable" } });
    expect(await deliver([{ call }])).toEqual({ acked: [0], retried: [] });
    await tenant.until(id, (block) => block.waitReason === "message");
  });

  test("is not sent again when its call would come too late", async () => {
    const tenant = new TestTenant();
    const id = await daemon(tenant);
    const messageId = await tenant.send(id, SUM);
    const call = await nextMessage(tenant, id);
    await overdue(tenant, id, `, started_at = ${Date.now() - LIMITS.batchCallMs}`);
    expect((await tenant.ended(id, messageId)).state).toBe("failed");
    expect(await deliver([{ call }])).toEqual({ acked: [0], retried: [] });
  });
});

describe("a consumer that dies after its claim", () => {
  test("is known by its message, which comes again: the call is lost and made anew", async () => {
    const tenant = new TestTenant();
    const { id, messageId, call } = await claimed(tenant);
    expect(await deliver([{ call, delivery: 2 }])).toEqual({ acked: [0], retried: [] });
    await goesOn(tenant, id, messageId, call.callId);
  });

  test("is known by its silence: the call is lost and made anew", async () => {
    const tenant = new TestTenant();
    const { id, messageId, call } = await claimed(tenant);
    await overdue(tenant, id);
    await goesOn(tenant, id, messageId, call.callId);
  });

  test("but was only slow pays for its call after all", async () => {
    const tenant = new TestTenant();
    const { id, messageId, call } = await claimed(tenant);
    await overdue(tenant, id);
    await nextMessage(tenant, id);
    expect(await calls(tenant, id).renewCall(call.callId, 1)).toMatchObject({ ok: false });
    value(await calls(tenant, id).deliverCall(call.callId, 1, SAID));
    await goesOn(tenant, id, messageId, call.callId);
    const row = await eventually(
      () => billed(tenant, id),
      (found) => found?.calls === 5,
    );
    expect(row).toMatchObject({ unknown: 0 });
    expect(row?.promptTokens).toBe((await tenant.block(id)).usage.promptTokens);
  });

  test("is not taken for dead when it speaks in time", async () => {
    const tenant = new TestTenant();
    const { id, call } = await claimed(tenant);
    const before = await awayCall(tenant, id);
    await new Promise((resolve) => setTimeout(resolve, 20));
    value(await calls(tenant, id).renewCall(call.callId, 1));
    const after = await awayCall(tenant, id);
    expect(after?.deadline_at).toBeGreaterThan(before?.deadline_at ?? 0);
    expect(after?.input).toBe(before?.input);
  });

  test("ten times on one call stops the process as a crash loop", async () => {
    const tenant = new TestTenant();
    const { id } = await claimed(tenant);
    for (let death = 1; death < LIMITS.deathsPerCall; death++) {
      await overdue(tenant, id);
      value(await calls(tenant, id).claimCall(await nextMessage(tenant, id), 1));
    }
    await overdue(tenant, id);
    expect(await tenant.block(id)).toMatchObject({ state: "stopped", stopReason: "crash-loop" });
  });

  async function goesOn(tenant: TestTenant, id: string, messageId: string, lostId: string) {
    const fresh = await nextMessage(tenant, id);
    expect(fresh.callId).not.toBe(lostId);
    await deliver([{ call: fresh }]);
    await deliver([{ call: await nextMessage(tenant, id) }]);
    expect((await tenant.ended(id, messageId)).reply).toBe("6*7 = 42");
  }
});

describe("signals while a call is away", () => {
  test("STOP keeps the result of the step, and CONT goes on with it", async () => {
    const tenant = new TestTenant();
    const { id, messageId, call } = await claimed(tenant);
    value(await tenant.agent(id).signal("STOP", "key:test"));
    value(await calls(tenant, id).deliverCall(call.callId, 1, SAID));
    expect((await tenant.ended(id, messageId)).reply).toBe("late");
    expect((await tenant.block(id)).state).toBe("stopped");
    value(await tenant.agent(id).signal("CONT", "key:test"));
    await tenant.until(id, (block) => block.waitReason === "message");
  });

  test("STOP and CONT leave an unclaimed call waiting as it was", async () => {
    const tenant = new TestTenant();
    const id = await daemon(tenant);
    await tenant.send(id, SUM);
    const call = await nextMessage(tenant, id);
    value(await tenant.agent(id).signal("STOP", "key:test"));
    value(await tenant.agent(id).signal("CONT", "key:test"));
    await tenant.until(id, (block) => block.waitReason === "llm");
    expect(await sentMessage(tenant, id)).toEqual(call);
  });

  test("TERM lets a claimed call finish and ends the process then", async () => {
    const tenant = new TestTenant();
    const { id, messageId, call } = await claimed(tenant);
    value(await tenant.agent(id).signal("TERM", "key:test"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await tenant.block(id)).state).toBe("waiting");
    value(await calls(tenant, id).deliverCall(call.callId, 1, SAID));
    await tenant.until(id, (block) => block.state === "terminated");
    expect((await tenant.ended(id, messageId)).reply).toBe("late");
  });

  test("KILL ends it now, and the late result is billed", async () => {
    const tenant = new TestTenant();
    const { id, call } = await claimed(tenant);
    value(await tenant.agent(id).signal("KILL", "key:test"));
    value(await calls(tenant, id).deliverCall(call.callId, 1, SAID));
    const row = await eventually(
      () => billed(tenant, id),
      (found) => found?.calls === 3 && found.unknown === 0,
    );
    expect(row?.promptTokens).toBe((await tenant.block(id)).usage.promptTokens);
  });
});

describe("a call that nobody can claim", () => {
  test("goes back to the queue, then to the list of dead letters, and is answered when a person retries it", async () => {
    const tenant = new TestTenant();
    const id = await daemon(tenant);
    const messageId = await tenant.send(id, SUM);
    const call = await nextMessage(tenant, id);
    await rename(tenant, id, "pending", "broken");
    for (let delivery = 1; delivery <= 6; delivery++) {
      expect(await deliver([{ call, delivery }])).toEqual({ acked: [], retried: [0] });
    }
    for (let i = 0; i < 2; i++) expect(await deliver([{ call }], `${CALLS}-dead`)).toEqual({ acked: [0], retried: [] });
    const { items } = value(await tenant.core.deadLetters({ limit: 10 }));
    expect(items).toMatchObject([{ callId: call.callId, agentId: id, attempts: 1 }]);

    await rename(tenant, id, "broken", "pending");
    value(await tenant.core.retryDeadLetter(call.callId, "key:test"));
    expect(value(await tenant.core.deadLetters({ limit: 10 })).items).toEqual([]);
    const again = await nextMessage(tenant, id);
    expect(again).toEqual({ ...call, attempt: 2 });
    await deliver([{ call: again }]);
    await deliver([{ call: await nextMessage(tenant, id) }]);
    expect((await tenant.ended(id, messageId)).reply).toBe("6*7 = 42");
  });

  test("and has ended meanwhile leaves the list with a conflict", async () => {
    const tenant = new TestTenant();
    const { id, call } = await claimed(tenant);
    await deliver([{ call }], `${CALLS}-dead`);
    value(await calls(tenant, id).deliverCall(call.callId, 1, SAID));
    const retried = await tenant.core.retryDeadLetter(call.callId, "key:test");
    expect(retried).toMatchObject({ ok: false, error: { code: "conflict" } });
    expect(value(await tenant.core.deadLetters({ limit: 10 })).items).toEqual([]);
    expect(await tenant.core.retryDeadLetter(call.callId, "key:test")).toMatchObject({ error: { code: "not_found" } });
  });

  async function rename(tenant: TestTenant, agentId: string, from: string, to: string): Promise<void> {
    await runInDurableObject(tenant.stub(agentId), (_object, { storage }) => {
      storage.sql.exec(`ALTER TABLE ${from} RENAME TO ${to}`);
    });
  }
});
