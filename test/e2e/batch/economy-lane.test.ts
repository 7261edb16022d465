import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import { discounted } from "../../../kernel/llm/batch/drivers.ts";
import { costNanoUsd } from "../../../kernel/llm/pricing.ts";
import { openai } from "../../../kernel/llm/providers/openai.ts";
import type { BatchScript, BilledBatch } from "../../support/model-server/batch-script.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/** Agents of the economy lane through the real runtime and a scripted Batch API, whose books are the oracle. */

const AGENTS = 6;
const MODEL = "gpt-5.4-mini";

describe("agents of the economy lane", () => {
  let model: ModelServer;
  let kernel: KernelProcess;

  beforeEach(async () => {
    model = await ModelServer.start();
    kernel = await start();
  });

  afterEach(async () => {
    await kernel.dispose();
    await model.stop();
  });

  test("share batches, wait through a SIGKILL, and pay half of the price, once a call", async () => {
    await script({ processMs: 3_000 });
    const agents = await spawn(AGENTS);
    await until(async () => (await books()).length > 0, 60_000);
    await kernel.end("SIGKILL");
    kernel = await start(kernel.state);
    for (const { id } of agents)
      await until(async () => (await client().agents.get(id)).state === "terminated", 60_000);
    const blocks = await Promise.all(agents.map(({ id }) => client().agents.get(id)));
    expect(blocks.map(({ result }) => result)).toEqual(agents.map(({ goal }) => `echo: ${goal}`));
    const submitted = await books();
    expect(submitted.reduce((sum, { requests }) => sum + requests, 0)).toBe(AGENTS);
    expect(submitted.length).toBeLessThan(AGENTS);
    await until(async () => (await costs()).totalNanoUsd === billed(submitted), 30_000);
    expect(await costs()).toEqual({ calls: AGENTS, unknown: 0, totalNanoUsd: billed(submitted) });
    expect(blocks.reduce((sum, { usage }) => sum + usage.costNanoUsd, 0)).toBe(billed(submitted));
  });

  test("whose turn is cancelled pay for what the vendor did, and are told nothing of it", async () => {
    await script({ processMs: 4_000 });
    const [agent] = await spawn(1, { daemon: true });
    if (agent === undefined) throw new Error("no agent");
    await until(async () => (await books()).length > 0, 60_000);
    const { items } = await client().messages.list(agent.id);
    await client().messages.cancel(agent.id, items[0]?.id ?? "");
    await until(async () => billed(await books()) > 0, 60_000);
    await until(async () => (await costs()).totalNanoUsd === billed(await books()), 60_000);
    expect(await costs()).toMatchObject({ calls: 1, unknown: 0 });
    const after = await client().messages.list(agent.id);
    expect(after.items.map(({ state }) => state)).toEqual(["cancelled"]);
    expect((await client().agents.get(agent.id)).usage.costNanoUsd).toBe(billed(await books()));
  });

  test("go on in the batch lane, at its price, where the endpoint has no Batch API", async () => {
    await script({ absent: true });
    const [agent] = await spawn(1);
    if (agent === undefined) throw new Error("no agent");
    await until(async () => (await client().agents.get(agent.id)).state === "terminated", 60_000);
    expect(await client().agents.get(agent.id)).toMatchObject({ lane: "batch", result: `echo: ${agent.goal}` });
    const { items: calls } = await client().ledger.calls({ agentId: agent.id });
    expect(calls.map(({ costNanoUsd: cost, price }) => [cost > 0, price.version.includes("batch")])).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  function start(state?: string): Promise<KernelProcess> {
    return KernelProcess.start(state, { OPENAI_API_KEY: "test-key", OPENAI_BASE_URL: model.baseUrl });
  }

  function client(): KernelClient {
    return new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
  }

  function spawn(count: number, more: { daemon?: boolean } = {}) {
    const spec = { role: "echo", model: `openai/${MODEL}`, lane: "economy" as const, ...more };
    return Promise.all(
      Array.from({ length: count }, (_, i) =>
        client().agents.spawn({ ...spec, name: `Agent ${i}`, goal: `goal ${i}` }),
      ),
    );
  }

  async function script(script: BatchScript): Promise<void> {
    await fetch(`${model.url}/_batches`, { method: "POST", body: JSON.stringify(script) });
  }

  async function books(): Promise<BilledBatch[]> {
    return (await (await fetch(`${model.url}/_batches`)).json()) as BilledBatch[];
  }

  async function costs() {
    const { items, totalNanoUsd } = await client().ledger.costs();
    const of = (key: "calls" | "unknown") => items.reduce((sum, item) => sum + item[key], 0);
    return { totalNanoUsd, calls: of("calls"), unknown: of("unknown") };
  }
});

function billed(books: readonly BilledBatch[]): number {
  const price = openai.models[MODEL]?.price;
  if (price === undefined) throw new Error(`${MODEL} has no price`);
  const half = discounted(price, 0.5);
  return books.flatMap(({ bills }) => bills).reduce((sum, { usage }) => sum + costNanoUsd(usage, half), 0);
}

async function until(holds: () => Promise<boolean>, ms: number): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(100)) if (await holds()) return;
  throw new Error("it did not come to hold");
}
