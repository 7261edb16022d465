import { afterAll, beforeAll, expect, test } from "vitest";
import { ModelServer } from "../../support/model-server/client.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/** A crowd at the front at once, each waiting for a slow model: nobody is lost, and the ledger knows every call. */

const MODEL = "openai/gpt-6-luna";
const CROWD = 1_000;
const LATENCY_MS = 2_000;

let model: ModelServer;
let kernel: KernelProcess;

beforeAll(async () => {
  model = await ModelServer.start();
  kernel = await KernelProcess.start(undefined, { OPENAI_API_KEY: "test", OPENAI_BASE_URL: model.baseUrl });
  const usage = { promptTokens: 10, completionTokens: 5 };
  await model.script({ rules: [{ reply: { text: "here", usage, latencyMs: LATENCY_MS } }] });
});

afterAll(async () => {
  await kernel?.dispose();
  await model?.stop();
});

async function ask(number: number): Promise<{ status: number; text: string }> {
  const response = await fetch(`${kernel.url}/v1/chat/completions`, {
    method: "POST",
    headers: { Authorization: `Bearer ${kernel.adminKey}`, "Content-Type": "application/json" },
    body: JSON.stringify({ model: MODEL, messages: [{ role: "user", content: `person ${number}` }] }),
  });
  return { status: response.status, text: await response.text() };
}

async function costs(): Promise<{ calls: number; promptTokens: number; unknown: number }> {
  const headers = { Authorization: `Bearer ${kernel.adminKey}` };
  const response = await fetch(`${kernel.url}/v1/costs`, { headers });
  const { items } = (await response.json()) as { items: Awaited<ReturnType<typeof costs>>[] };
  return items[0] ?? { calls: 0, promptTokens: 0, unknown: 0 };
}

test("a thousand completions at once at two seconds each lose none", async () => {
  const begun = Date.now();
  const replies = await Promise.all(Array.from({ length: CROWD }, (_, number) => ask(number)));
  const took = Date.now() - begun;
  console.log(`${CROWD} completions at ${LATENCY_MS} ms: ${took} ms in all, ${(took / LATENCY_MS).toFixed(2)}x one`);
  const failed = replies.filter(({ status }) => status !== 200);
  expect(failed.slice(0, 3)).toEqual([]);
  await expect.poll(async () => (await costs()).calls, { timeout: 30_000 }).toBe(CROWD);
  expect(await costs()).toMatchObject({ promptTokens: 10 * CROWD, unknown: 0 });
}, 240_000);
