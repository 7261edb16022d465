import { abortAllDurableObjects } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { AgentOrders } from "../../durable-objects/agent/rpc.ts";
import { CountingModel } from "../support/counting-model.ts";
import { eventually, TestTenant, value } from "../support/tenant.ts";

/** Whoever pokes a process, and however often: one slice runs, and a step is one model call. */

const POKES = 50;
/** The short form: `test/e2e/resume` has two hundred. */
const ROUNDS = 20;
/** A short history each: this is about resuming, not about long prompts. */
const AGENTS = 2;
const STEPS = 2;
const CRASHES = 10;

const model = CountingModel.install();

describe("fifty resumes at once", () => {
  test("run a process once, round after round: each message leaves for the vendor once", {
    timeout: 240_000,
  }, async () => {
    const tenant = new TestTenant();
    for (let agent = 0; agent < AGENTS; agent++) {
      const id = await tenant.daemon({ model: "openai/test" });
      for (let round = 1; round <= ROUNDS / AGENTS; round++) {
        value(await tenant.agent(id).signal("STOP", "key:test"));
        const content = `round ${round} of ${id}`;
        const messageId = await tenant.send(id, content);
        value(await tenant.agent(id).signal("CONT", "key:test"));
        await poke(tenant, id);
        expect((await tenant.ended(id, messageId)).reply).toBe(`echo: ${content}`);
        expect(model.count(content)).toBe(1);
      }
      const calls = await callsOf(tenant, id);
      expect(calls.map((call) => call.state)).toEqual(Array.from({ length: 1 + ROUNDS / AGENTS }, () => "done"));
      const billed = async () =>
        value(await tenant.core.costs({ groupBy: "agent" })).items.find(({ key }) => key === id);
      await eventually(billed, (row) => row?.calls === calls.length);
    }
    expect(model.asked).toHaveLength(AGENTS + ROUNDS);
  });

  test("after a crash finish each step once, and pay for each call that began", { timeout: 120_000 }, async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    const before = (await callsOf(tenant, id)).length;
    for (let round = 1; round <= CRASHES; round++) {
      const messageId = await tenant.send(id, `call calculate on ${round}+1`);
      await new Promise((resolve) => setTimeout(resolve, round % 7));
      await abortAllDurableObjects();
      await poke(tenant, id);
      expect((await tenant.ended(id, messageId)).reply).toContain(String(round + 1));
    }
    const calls = (await callsOf(tenant, id)).slice(before);
    expect(calls.filter((call) => call.state === "done")).toHaveLength(CRASHES * STEPS);
    expect(calls.filter((call) => call.state !== "done" && call.state !== "lost")).toEqual([]);
    expect(value(await tenant.agent(id).verify()).ok).toBe(true);
  });
});

async function poke(tenant: TestTenant, id: string): Promise<void> {
  const orders = tenant.stub(id) as unknown as AgentOrders;
  await Promise.all(Array.from({ length: POKES }, () => orders.run()));
}

/** Every model call of the process, as its journal tells it. */
async function callsOf(tenant: TestTenant, id: string) {
  const calls = [];
  for (let cursor: string | undefined; ; ) {
    const page = value(await tenant.agent(id).steps({ limit: 200, ...(cursor === undefined ? {} : { cursor }) }));
    calls.push(...page.items);
    if (page.nextCursor === null) return calls;
    cursor = page.nextCursor;
  }
}
