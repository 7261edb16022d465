import {
  abortAllDurableObjects,
  createScheduledController,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../kernel/limits.ts";
import type { Env } from "../../workers/env.ts";
import worker from "../../workers/index.ts";
import { CountingModel } from "../support/counting-model.ts";
import { eventually, patiently, TestTenant, value } from "../support/tenant.ts";

const bindings = env as unknown as Env;
const model = CountingModel.install();

/** One tick of cron. */
function tick(): void | Promise<void> {
  return worker.scheduled(createScheduledController({ scheduledTime: new Date(), cron: "* * * * *" }), bindings);
}

const rows = (stub: DurableObjectStub, statement: string, ...parameters: (string | number)[]) =>
  patiently(() =>
    runInDurableObject(stub, (_object, { storage }) => storage.sql.exec(statement, ...parameters).toArray()),
  );

const alarmOf = (stub: DurableObjectStub) => runInDurableObject(stub, (_object, { storage }) => storage.getAlarm());

/** An agent whose model call never ends, and whose core has heard so. */
async function inCall(tenant: TestTenant): Promise<{ id: string; messageId: string }> {
  const id = await tenant.daemon({ model: "openai/test" });
  const content = `never ${id}`;
  model.hang(content);
  const messageId = await tenant.send(id, content);
  await eventually(
    async () => model.count(content),
    (count) => count === 1,
  );
  return { id, messageId };
}

describe("a process whose alarm the platform gave up", () => {
  test("is revived by the sweep that misses a sign of it", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    value(await tenant.agent(id).signal("STOP", "key:test"));
    const messageId = await tenant.send(id, "call calculate on 6*7");
    await eventually(
      () => alarmOf(tenant.stub(id)),
      (at) => at === null,
    );
    await rows(tenant.stub(id), "UPDATE process SET state = 'ready', stop_reason = NULL");
    await evictDurableObject(tenant.stub(id));
    await rows(tenant.coreStub, "UPDATE processes SET due_at = ? WHERE id = ?", Date.now() - 1, id);
    value(await tenant.core.sweep());
    expect((await tenant.ended(id, messageId)).state).toBe("answered");
  });

  test("is known to the core before its second try, though nobody had heard of it since it got mail", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    const heard = () => rows(tenant.coreStub, "SELECT seq, due_at FROM processes WHERE id = ?", id);
    const [idle] = await eventually(heard, ([row]) => row?.["due_at"] === null);
    await rows(tenant.coreStub, "ALTER TABLE calls RENAME TO away");
    await tenant.send(id, "call calculate on 6*7");
    await eventually(
      async () => (await tenant.block(id)).state,
      (state) => state === "ready",
    );
    await runInDurableObject(tenant.stub(id), (agent) =>
      (agent as unknown as Alarmed).alarm({ isRetry: true, retryCount: 1 }),
    );
    const [known] = await heard();
    expect(known?.["seq"]).toBeGreaterThan(Number(idle?.["seq"]));
    expect(known?.["due_at"]).toBeGreaterThan(Date.now());
    await rows(tenant.coreStub, "ALTER TABLE away RENAME TO calls");
  });

  test("is asked no more when it has nothing to do", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    const due = () => rows(tenant.coreStub, "SELECT due_at FROM processes WHERE id = ?", id);
    await eventually(due, ([row]) => row?.["due_at"] === null);
    await rows(tenant.coreStub, "UPDATE processes SET due_at = 1 WHERE id = ?", id);
    value(await tenant.core.sweep());
    expect(await due()).toEqual([{ due_at: null }]);
  });
});

describe("an alarm that meets a broken storage", () => {
  test("throws nothing at the platform however often, stands again each time, and heals with the storage", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    await rows(tenant.stub(id), "ALTER TABLE mailbox RENAME TO lost");
    for (let death = 0; death < 7; death++) {
      await runInDurableObject(tenant.stub(id), (_object, { storage }) => storage.setAlarm(Date.now() + 60_000));
      await rows(tenant.stub(id), "UPDATE process SET state = 'ready', wait_reason = NULL");
      await abortAllDurableObjects();
      await runDurableObjectAlarm(tenant.stub(id));
      expect(await alarmOf(tenant.stub(id))).not.toBeNull();
    }
    await rows(tenant.stub(id), "ALTER TABLE lost RENAME TO mailbox");
    expect(await tenant.ask(id, "call calculate on 6*7")).toContain("42");
  });
});

describe("a core whose alarm the platform gave up", () => {
  test("is woken by cron, does what it missed, and has its alarm again", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    await eventually(
      () => alarmOf(tenant.coreStub),
      (at) => at === null,
    );
    await tenant.ask(id, "call calculate on 6*7");
    await eventually(
      () => alarmOf(tenant.coreStub),
      (at) => at === null,
    );
    const open =
      "UPDATE calls SET state = 'open', expires_at = ? WHERE id = (SELECT id FROM calls WHERE state = 'settled' LIMIT 1)";
    await rows(tenant.coreStub, open, Date.now() - 1);
    await rows(tenant.coreStub, open, Date.now() + 3_600_000);
    await evictDurableObject(tenant.coreStub);
    await bindings.DB.prepare("INSERT OR REPLACE INTO cores (tenant, due_at) VALUES (?, ?)")
      .bind(tenant.name, Date.now() - 1)
      .run();
    await tick();
    const { items } = value(await tenant.core.costs({ groupBy: "agent" }));
    expect(items.find(({ key }) => key === id)?.unknown).toBe(1);
    expect(await alarmOf(tenant.coreStub)).not.toBeNull();
  });

  test("has told cron before it tried for the second time", async () => {
    const tenant = new TestTenant();
    await tenant.daemon();
    await eventually(
      () => alarmOf(tenant.coreStub),
      (at) => at === null,
    );
    value(await tenant.core.checkpoint("key:test"));
    await runInDurableObject(tenant.coreStub, (core) =>
      (core as unknown as Alarmed).alarm({ isRetry: true, retryCount: 1 }),
    );
    const { results } = await bindings.DB.prepare("SELECT * FROM cores WHERE tenant = ?").bind(tenant.name).all();
    // It was called, found nothing to do and took its name off the list again.
    expect(results).toEqual([]);
  });

  test("that is idle is not called by cron once its chains are exported", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    await tenant.ask(id, "call calculate on 6*7");
    const listed = () => bindings.DB.prepare("SELECT * FROM cores WHERE tenant = ?").bind(tenant.name).first();
    await eventually(
      () => alarmOf(tenant.coreStub),
      (at) => at === null,
    );
    value(await tenant.core.checkpoint("key:test"));
    value(await tenant.core.sweep());
    await eventually(listed, (row) => row === null, 5_000);
  });
});

type Alarmed = { alarm(info: { isRetry: boolean; retryCount: number }): Promise<void> };

describe("ten deaths on one call", () => {
  test("stop the process with one record and no call after them, and CONT lets it try again", {
    timeout: 120_000,
  }, async () => {
    const tenant = new TestTenant();
    const { id, messageId } = await inCall(tenant);
    const content = `never ${id}`;
    for (let death = 1; death <= LIMITS.deathsPerCall; death++) {
      await eventually(
        async () => model.count(content),
        (count) => count === death,
        20_000,
      );
      await abortAllDurableObjects();
    }
    const stopped = await tenant.until(id, (block) => block.state === "stopped", 20_000);
    expect(stopped.stopReason).toBe("crash-loop");
    const records = async () => value(await tenant.agent(id).audit({ limit: 10, action: "process.crash-loop" })).items;
    expect(await records()).toHaveLength(1);
    await runDurableObjectAlarm(tenant.stub(id));
    expect(model.count(content)).toBe(LIMITS.deathsPerCall);
    model.release(content);
    value(await tenant.agent(id).signal("CONT", "key:test"));
    expect((await tenant.ended(id, messageId)).reply).toBe(`echo: ${content}`);
    expect(model.count(content)).toBe(LIMITS.deathsPerCall + 1);
    expect(await records()).toHaveLength(1);
  });
});
