import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { eventually, patiently, TestTenant, value } from "../support/tenant.ts";

describe("a process", () => {
  test("works on its goal and terminates with the result", async () => {
    const tenant = new TestTenant();
    const { id, state } = await tenant.spawn({ goal: "call calculate on 6*7" });
    expect(state).toBe("ready");
    const done = await tenant.until(id, (block) => block.state === "terminated");
    expect(done.exit).toEqual({ code: 0, reason: "completed" });
    expect(done.result).toContain("42");
    expect(done.usage.steps).toBe(2);
    expect(done.usage.toolCalls).toBe(1);
  });

  test("that is a daemon answers message after message and waits in between", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    expect(await tenant.ask(id, "call calculate on 1+1")).toContain("2");
    expect(await tenant.ask(id, "call calculate on 2+3")).toContain("5");
    expect((await tenant.block(id)).waitReason).toBe("message");
  });

  test("that ended the exit tool's way has its code and result", async () => {
    const tenant = new TestTenant();
    const { id } = await tenant.spawn({ goal: 'call exit {"result": "enough", "code": 3}' });
    const done = await tenant.until(id, (block) => block.state === "terminated");
    expect(done).toMatchObject({ result: "enough", exit: { code: 3, reason: "failed" } });
  });

  test("writes one chain that holds its whole life", async () => {
    const tenant = new TestTenant();
    const { id } = await tenant.spawn({ goal: "call calculate on 6*7" });
    await tenant.until(id, (block) => block.state === "terminated");
    const report = value(await tenant.agent(id).verify());
    expect(report.ok).toBe(true);
    const { entries } = value(await tenant.agent(id).log({ after: 0, limit: 100 }));
    expect(entries).toHaveLength(report.entries);
    const kinds = new Set(entries.map((entry) => entry.kind));
    for (const kind of ["process.spawn", "turn.start", "call.start", "call.end", "message.done", "process.state"]) {
      expect(kinds).toContain(kind);
    }
  });

  test("shows each step with its tool calls in the journal", async () => {
    const tenant = new TestTenant();
    const { id } = await tenant.spawn({ goal: "call calculate on 6*7" });
    await tenant.until(id, (block) => block.state === "terminated");
    const { items } = value(await tenant.agent(id).steps({ limit: 10 }));
    expect(items.map((step) => step.state)).toEqual(["done", "done"]);
    expect(items[0]?.toolCalls).toMatchObject([{ name: "calculate", ok: true }]);
  });

  test("is in its tenant's table with what it used, and on the bill", async () => {
    const tenant = new TestTenant();
    const { id } = await tenant.spawn({ goal: "call calculate on 6*7" });
    await tenant.until(id, (block) => block.state === "terminated");
    const listed = async () => value(await tenant.core.list({ limit: 10 })).items;
    const [row] = await eventually(listed, ([first]) => first?.state === "terminated");
    expect(row).toMatchObject({ id, usage: { steps: 2 } });
    const { items } = value(await tenant.core.costs({ groupBy: "agent" }));
    expect(items).toMatchObject([{ key: id, calls: 2, unknown: 0 }]);
    expect(items[0]?.promptTokens).toBe(row?.usage.promptTokens);
  });
});

describe("an idle process", () => {
  test("has no alarm", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    await tenant.ask(id, "call calculate on 1+1");
    const alarm = () => runInDurableObject(tenant.stub(id), (_object, state) => state.storage.getAlarm());
    expect(await eventually(alarm, (at) => at === null)).toBeNull();
  });

  test("has no alarm after it terminated", async () => {
    const tenant = new TestTenant();
    const { id } = await tenant.spawn();
    await tenant.until(id, (block) => block.state === "terminated");
    const alarm = () => runInDurableObject(tenant.stub(id), (_object, state) => state.storage.getAlarm());
    expect(await eventually(alarm, (at) => at === null)).toBeNull();
  });

  test("leaves its core without an alarm too", async () => {
    const tenant = new TestTenant();
    await tenant.daemon();
    const alarm = () => runInDurableObject(tenant.coreStub, (_object, state) => state.storage.getAlarm());
    expect(await eventually(alarm, (at) => at === null)).toBeNull();
  });
});

const STORY = [
  'call file_write {"path": "a.txt", "content": "one"}',
  'call memory_note {"content": "the lease was signed by Ada"}',
  'call file_read {"path": "a.txt"}',
  'call ask_person {"question": "go on?"}',
  "call calculate on 40+2",
].join("\n");

describe("an eviction", () => {
  test("while the process waits for a person changes nothing", async () => {
    const tenant = new TestTenant();
    const plain = await tell(tenant, async () => {});
    const evicted = await tell(tenant, async (id) => {
      await evictDurableObject(tenant.stub(id));
      await tenant.block(id);
      await evictDurableObject(tenant.stub(id));
    });
    expect(evicted.reply).toBe(plain.reply);
    expect(evicted.kinds).toEqual(plain.kinds);
  });

  test("between two messages changes nothing", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    await tenant.ask(id, 'call memory_note {"content": "The lease was signed by Ada Quimby."}');
    await evictDurableObject(tenant.stub(id));
    expect(await tenant.ask(id, "Who signed the lease?")).toContain("Ada Quimby");
  });

  /** Plays the story to its end; `pause` acts while the process waits for a person. */
  async function tell(tenant: TestTenant, pause: (agentId: string) => Promise<void>) {
    const id = await tenant.daemon();
    const messageId = await tenant.send(id, STORY);
    await tenant.until(id, (block) => block.waitReason === "approval");
    await pause(id);
    const open = async () => value(await tenant.core.approvals({ limit: 50, state: "open" })).items;
    const [question] = await eventually(open, (items) => items.some((item) => item.agentId === id));
    value(await tenant.core.answer(question?.id ?? "", { answer: "yes" }, "key:test"));
    const message = await tenant.ended(id, messageId);
    const { entries } = value(await tenant.agent(id).log({ after: 0, limit: 500 }));
    return {
      reply: message.reply,
      kinds: entries.map((entry) => `${entry.kind} ${entry.data["name"] ?? entry.data["to"] ?? ""}`),
    };
  }
});

describe("objects that are aborted again and again", () => {
  test("answer every accepted message once", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    const sent: string[] = [];
    for (let i = 0; i < 20; i++) {
      sent.push(await patiently(() => tenant.send(id, `call calculate on ${i}*10`)));
      if (i % 3 === 0) await abortAllDurableObjects();
    }
    const replies = await Promise.all(sent.map((messageId) => patiently(() => tenant.ended(id, messageId))));
    expect(replies.map((message) => message.state)).toEqual(sent.map(() => "answered"));
    expect(replies.map((message) => message.reply)).toEqual(sent.map((_, i) => `${i}*10 = ${i * 10}`));
    expect(value(await tenant.agent(id).verify()).ok).toBe(true);
  });
});

describe("signals", () => {
  test("STOP halts the process and CONT lets it go on", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    value(await tenant.agent(id).signal("STOP", "key:test"));
    const messageId = await tenant.send(id, "call calculate on 1+1");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(value(await tenant.agent(id).message(messageId)).state).toBe("queued");
    expect((await tenant.block(id)).state).toBe("stopped");
    value(await tenant.agent(id).signal("CONT", "key:test"));
    expect((await tenant.ended(id, messageId)).reply).toContain("2");
  });

  test("KILL ends it now, fails its mail and is refused a second time", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    value(await tenant.agent(id).signal("STOP", "key:test"));
    const messageId = await tenant.send(id, "hello");
    value(await tenant.agent(id).signal("KILL", "key:test"));
    expect(await tenant.block(id)).toMatchObject({ state: "terminated", exit: { code: 137, reason: "killed" } });
    expect((await tenant.ended(id, messageId)).error?.code).toBe("process_terminated");
    expect(await tenant.agent(id).signal("CONT", "key:test")).toMatchObject({
      ok: false,
      error: { code: "process_terminated" },
    });
    expect(await tenant.agent(id).send({ content: "x", actor: "k" })).toMatchObject({
      error: { code: "process_terminated" },
    });
  });

  test("KILL reaches the children", async () => {
    const tenant = new TestTenant();
    const parent = await tenant.daemon();
    const child = await tenant.daemon({ parentId: parent });
    value(await tenant.agent(parent).signal("KILL", "key:test"));
    await tenant.until(child, (block) => block.state === "terminated");
  });
});

describe("erasing", () => {
  test("answers not_found from then on, in every surface, and keeps the ledger", async () => {
    const tenant = new TestTenant();
    const { id } = await tenant.spawn({ goal: "call calculate on 6*7" });
    await tenant.until(id, (block) => block.state === "terminated");
    value(await tenant.core.erase(id, "key:test"));
    expect(await tenant.core.erase(id, "key:test")).toMatchObject({ ok: false, error: { code: "not_found" } });
    expect(value(await tenant.core.list({ limit: 10 })).items).toEqual([]);
    await eventually(
      async () => tenant.agent(id).block(),
      (block) => !block.ok && block.error.code === "not_found",
    );
    const erased = async () => value(await tenant.core.audit({ limit: 50, action: "agent.erased" })).items;
    await eventually(erased, (items) => items.length === 1);
    expect(value(await tenant.core.costs({ groupBy: "agent" })).items).toMatchObject([{ key: id, calls: 2 }]);
  });
});
