import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BatchView } from "../../../kernel/llm/batch/job-state.ts";
import { BATCH_MODEL, billed, EconomyKernel, until } from "./economy-kernel.ts";

/** Batches through the real runtime and a scripted Batch API, whose books are the oracle. */

const REQUESTS = 5_000;
const ENDED = ["completed", "failed", "expired", "cancelled"];

describe("a batch through a vendor's Batch API", () => {
  let kernel: EconomyKernel;

  beforeEach(async () => {
    kernel = await EconomyKernel.start();
  });

  afterEach(() => kernel.dispose());

  test(`of ${REQUESTS} ends complete after two SIGKILLs, with one result a request and the vendor's bill`, async () => {
    await kernel.script({ processMs: 6_000, creations: ["lose_answer"] });
    const begun = performance.now();
    const { id } = await kernel.client.batches.create(file(REQUESTS));
    const acceptedMs = Math.round(performance.now() - begun);
    // While its money is being reserved, and again while the vendor works or its results are collected.
    const killedAt = [
      await killWhen(id, async () => true),
      await killWhen(id, async () => (await kernel.books()).length > 0),
    ];
    const end = await ended(id, 150_000);
    console.log(
      `${REQUESTS} accepted in ${acceptedMs} ms, killed while ${killedAt.join(" and ")}, over after ${Math.round(performance.now() - begun)} ms`,
    );

    expect(end).toMatchObject({ state: "completed", progress: { total: REQUESTS, completed: REQUESTS, failed: 0 } });
    const results = await Array.fromAsync(kernel.client.batches.results(id));
    expect(results.map((line) => line.custom_id)).toEqual(Array.from({ length: REQUESTS }, (_, i) => `c-${i}`));
    expect(results.every(({ response }, i) => JSON.stringify(response).includes(`echo: question ${i}"`))).toBe(true);
    const submitted = await kernel.books();
    expect(submitted.reduce((sum, { requests }) => sum + requests, 0)).toBe(REQUESTS);
    expect(new Set(submitted.map(({ tag }) => tag)).size).toBe(submitted.length);
    expect(await kernel.costs()).toEqual({ calls: REQUESTS, unknown: 0, totalNanoUsd: billed(submitted) });
    expect(end.costNanoUsd).toBe(billed(submitted));
    expect(await kernel.client.ledger.verify()).toMatchObject({ ok: true });
  });

  test("that is cancelled in the middle keeps and pays for what the vendor had done", async () => {
    await kernel.script({ hold: true });
    const { id } = await kernel.client.batches.create(file(100));
    await until(async () => (await kernel.client.batches.get(id)).state === "running", 60_000);
    await kernel.client.batches.cancel(id);
    expect(await ended(id, 60_000)).toMatchObject({ state: "cancelled", progress: { completed: 50, failed: 50 } });
    expect(await kernel.costs()).toMatchObject({ calls: 100, unknown: 0, totalNanoUsd: billed(await kernel.books()) });
  });

  test("that expires there bills what was done and nothing else", async () => {
    await kernel.script({ expireAfter: 30 });
    const { id } = await kernel.client.batches.create(file(100));
    expect(await ended(id, 60_000)).toMatchObject({ state: "expired", progress: { completed: 30, failed: 70 } });
    expect(await kernel.costs()).toMatchObject({ unknown: 0, totalNanoUsd: billed(await kernel.books()) });
  });

  /** Kills the whole runtime when `holds`, and starts it again. Answers what the job was at. */
  async function killWhen(id: string, holds: () => Promise<boolean>): Promise<BatchView["state"]> {
    await until(holds, 60_000);
    const { state } = await kernel.client.batches.get(id);
    await kernel.killAndStart();
    return state;
  }

  async function ended(id: string, ms: number): Promise<BatchView> {
    await until(async () => ENDED.includes((await kernel.client.batches.get(id)).state), ms);
    return kernel.client.batches.get(id);
  }
});

function file(requests: number): Uint8Array<ArrayBuffer> {
  const lines = Array.from({ length: requests }, (_, i) => {
    const messages = [{ role: "user", content: `question ${i}` }];
    const body = { model: `openai/${BATCH_MODEL}`, messages, max_tokens: 200 };
    return JSON.stringify({ custom_id: `c-${i}`, method: "POST", url: "/v1/chat/completions", body });
  });
  return new Uint8Array(new TextEncoder().encode(lines.join("\n")));
}
