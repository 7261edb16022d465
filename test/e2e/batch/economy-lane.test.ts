import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BATCH_MODEL, billed, EconomyKernel, until } from "./economy-kernel.ts";

/** Agents of the economy lane through the real runtime and a scripted Batch API, whose books are the oracle. */

const AGENTS = 6;

describe("agents of the economy lane", () => {
  let kernel: EconomyKernel;

  beforeEach(async () => {
    kernel = await EconomyKernel.start();
  });

  afterEach(() => kernel.dispose());

  test("share batches, wait through a SIGKILL, and pay half of the price, once a call", async () => {
    await kernel.script({ processMs: 3_000 });
    const agents = await spawn(AGENTS);
    await until(async () => (await kernel.books()).length > 0, 60_000);
    await kernel.killAndStart();
    for (const { id } of agents)
      await until(async () => (await kernel.client.agents.get(id)).state === "terminated", 60_000);
    const blocks = await Promise.all(agents.map(({ id }) => kernel.client.agents.get(id)));
    expect(blocks.map(({ result }) => result)).toEqual(agents.map(({ goal }) => `echo: ${goal}`));
    const submitted = await kernel.books();
    expect(submitted.reduce((sum, { requests }) => sum + requests, 0)).toBe(AGENTS);
    expect(submitted.length).toBeLessThan(AGENTS);
    await until(async () => (await kernel.costs()).totalNanoUsd === billed(submitted), 30_000);
    expect(await kernel.costs()).toEqual({ calls: AGENTS, unknown: 0, totalNanoUsd: billed(submitted) });
    expect(blocks.reduce((sum, { usage }) => sum + usage.costNanoUsd, 0)).toBe(billed(submitted));
  });

  test("whose turn is cancelled pay for what the vendor did, and are told nothing of it", async () => {
    await kernel.script({ processMs: 4_000 });
    const [agent] = await spawn(1, { daemon: true });
    if (agent === undefined) throw new Error("no agent");
    await until(async () => (await kernel.books()).length > 0, 60_000);
    const { items } = await kernel.client.messages.list(agent.id);
    await kernel.client.messages.cancel(agent.id, items[0]?.id ?? "");
    await until(async () => billed(await kernel.books()) > 0, 60_000);
    await until(async () => (await kernel.costs()).totalNanoUsd === billed(await kernel.books()), 60_000);
    expect(await kernel.costs()).toMatchObject({ calls: 1, unknown: 0 });
    const after = await kernel.client.messages.list(agent.id);
    expect(after.items.map(({ state }) => state)).toEqual(["cancelled"]);
    expect((await kernel.client.agents.get(agent.id)).usage.costNanoUsd).toBe(billed(await kernel.books()));
  });

  test("go on in the batch lane, at its price, where the endpoint has no Batch API", async () => {
    await kernel.script({ absent: true });
    const [agent] = await spawn(1);
    if (agent === undefined) throw new Error("no agent");
    await until(async () => (await kernel.client.agents.get(agent.id)).state === "terminated", 60_000);
    expect(await kernel.client.agents.get(agent.id)).toMatchObject({ lane: "batch", result: `echo: ${agent.goal}` });
    const { items: calls } = await kernel.client.ledger.calls({ agentId: agent.id });
    expect(calls.map(({ costNanoUsd: cost, price }) => [cost > 0, price.version.includes("batch")])).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  function spawn(count: number, more: { daemon?: boolean } = {}) {
    const spec = { role: "echo", model: `openai/${BATCH_MODEL}`, lane: "economy" as const, ...more };
    return Promise.all(
      Array.from({ length: count }, (_, i) =>
        kernel.client.agents.spawn({ ...spec, name: `Agent ${i}`, goal: `goal ${i}` }),
      ),
    );
  }
});
