import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import { discounted } from "../../../kernel/llm/batch/drivers.ts";
import type { BatchView } from "../../../kernel/llm/batch/job-state.ts";
import { costNanoUsd } from "../../../kernel/llm/pricing.ts";
import { openai } from "../../../kernel/llm/providers/openai.ts";
import type { BatchScript, BilledBatch } from "../../support/model-server/batch-script.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/** Batches through the real runtime and a scripted Batch API, whose books are the oracle. */

const REQUESTS = 5_000;
const MODEL = "gpt-5.4-mini";
const ENDED = ["completed", "failed", "expired", "cancelled"];

describe("a batch through a vendor's Batch API", () => {
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

  test(`of ${REQUESTS} ends complete after two SIGKILLs, with one result a request and the vendor's bill`, async () => {
    await script({ processMs: 6_000, creations: ["lose_answer"] });
    const begun = performance.now();
    const { id } = await client().batches.create(file(REQUESTS));
    const acceptedMs = Math.round(performance.now() - begun);
    // While its money is being reserved, and again while the vendor works or its results are collected.
    const killedAt = [await killWhen(id, async () => true), await killWhen(id, async () => (await books()).length > 0)];
    const end = await ended(id, 150_000);
    console.log(
      `${REQUESTS} accepted in ${acceptedMs} ms, killed while ${killedAt.join(" and ")}, over after ${Math.round(performance.now() - begun)} ms`,
    );

    expect(end).toMatchObject({ state: "completed", progress: { total: REQUESTS, completed: REQUESTS, failed: 0 } });
    const results = await Array.fromAsync(client().batches.results(id));
    expect(results.map((line) => line.custom_id)).toEqual(Array.from({ length: REQUESTS }, (_, i) => `c-${i}`));
    expect(results.every(({ response }, i) => JSON.stringify(response).includes(`echo: question ${i}"`))).toBe(true);
    const submitted = await books();
    expect(submitted.reduce((sum, { requests }) => sum + requests, 0)).toBe(REQUESTS);
    expect(new Set(submitted.map(({ tag }) => tag)).size).toBe(submitted.length);
    expect(await costs()).toEqual({ calls: REQUESTS, unknown: 0, totalNanoUsd: billed(submitted) });
    expect(end.costNanoUsd).toBe(billed(submitted));
    expect(await client().ledger.verify()).toMatchObject({ ok: true });
  });

  test("that is cancelled in the middle keeps and pays for what the vendor had done", async () => {
    await script({ hold: true });
    const { id } = await client().batches.create(file(100));
    await until(async () => (await client().batches.get(id)).state === "running", 60_000);
    await client().batches.cancel(id);
    expect(await ended(id, 60_000)).toMatchObject({ state: "cancelled", progress: { completed: 50, failed: 50 } });
    expect(await costs()).toMatchObject({ calls: 100, unknown: 0, totalNanoUsd: billed(await books()) });
  });

  test("that expires there bills what was done and nothing else", async () => {
    await script({ expireAfter: 30 });
    const { id } = await client().batches.create(file(100));
    expect(await ended(id, 60_000)).toMatchObject({ state: "expired", progress: { completed: 30, failed: 70 } });
    expect(await costs()).toMatchObject({ unknown: 0, totalNanoUsd: billed(await books()) });
  });

  async function start(state?: string): Promise<KernelProcess> {
    return KernelProcess.start(state, { OPENAI_API_KEY: "test-key", OPENAI_BASE_URL: model.baseUrl });
  }

  function client(): KernelClient {
    return new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
  }

  async function script(script: BatchScript): Promise<void> {
    await fetch(`${model.url}/_batches`, { method: "POST", body: JSON.stringify(script) });
  }

  async function books(): Promise<BilledBatch[]> {
    return (await (await fetch(`${model.url}/_batches`)).json()) as BilledBatch[];
  }

  /** Kills the whole runtime when `holds`, and starts it again. Answers what the job was at. */
  async function killWhen(id: string, holds: () => Promise<boolean>): Promise<BatchView["state"]> {
    await until(holds, 60_000);
    const { state } = await client().batches.get(id);
    const workerd = kernel.workerdPid;
    await kernel.end("SIGKILL");
    await gone(workerd);
    kernel = await start(kernel.state);
    return state;
  }

  async function gone(pid: number): Promise<void> {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It went with its parent.
    }
  }

  async function ended(id: string, ms: number): Promise<BatchView> {
    await until(async () => ENDED.includes((await client().batches.get(id)).state), ms);
    return client().batches.get(id);
  }

  async function costs() {
    const { items, totalNanoUsd } = await client().ledger.costs();
    const of = (key: "calls" | "unknown") => items.reduce((sum, item) => sum + item[key], 0);
    return { totalNanoUsd, calls: of("calls"), unknown: of("unknown") };
  }
});

function file(requests: number): Uint8Array<ArrayBuffer> {
  const lines = Array.from({ length: requests }, (_, i) => {
    const messages = [{ role: "user", content: `question ${i}` }];
    const body = { model: `openai/${MODEL}`, messages, max_tokens: 200 };
    return JSON.stringify({ custom_id: `c-${i}`, method: "POST", url: "/v1/chat/completions", body });
  });
  return new Uint8Array(new TextEncoder().encode(lines.join("\n")));
}

function billed(books: readonly BilledBatch[]): number {
  const price = openai.models[MODEL]?.price;
  if (price === undefined) throw new Error(`${MODEL} has no price`);
  const half = discounted(price, 0.5);
  return books.flatMap(({ bills }) => bills).reduce((sum, { usage }) => sum + costNanoUsd(usage, half), 0);
}

async function until(holds: () => Promise<boolean>, ms: number): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) if (await holds()) return;
  throw new Error("it did not come to hold");
}
