import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ModelServer } from "../../support/model-server/client.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/** Replies that are given again, with a vendor behind the kernel whose journal says how often it was really asked. */

const MODEL = "openai/gpt-6-luna";
const ASKERS = 20;
const USAGE = { promptTokens: 1_000, completionTokens: 100 };

let model: ModelServer;
let kernel: KernelProcess;

beforeAll(async () => {
  model = await ModelServer.start();
  kernel = await KernelProcess.start(undefined, { OPENAI_API_KEY: "test", OPENAI_BASE_URL: model.baseUrl });
  await model.script({ rules: [{ reply: { text: "blue", usage: USAGE, latencyMs: 300 } }] });
});

afterAll(async () => {
  await kernel?.dispose();
  await model?.stop();
});

async function ask(content: string, temperature: number): Promise<string | null | undefined> {
  const client = new OpenAI({ baseURL: `${kernel.url}/v1`, apiKey: kernel.adminKey, maxRetries: 0 });
  const messages = [{ role: "user" as const, content }];
  const completion = await client.chat.completions.create({ model: MODEL, messages, temperature });
  return completion.choices[0]?.message.content;
}

async function costs(): Promise<{ calls: number; cacheHits: number; costNanoUsd: number; savedNanoUsd: number }> {
  const headers = { Authorization: `Bearer ${kernel.adminKey}` };
  const response = await fetch(`${kernel.url}/v1/costs`, { headers });
  const { items } = (await response.json()) as { items: Awaited<ReturnType<typeof costs>>[] };
  return items[0] ?? { calls: 0, cacheHits: 0, costNanoUsd: 0, savedNanoUsd: 0 };
}

async function asked(content: string): Promise<number> {
  const journal = await model.journal();
  return journal.filter((entry) => entry.type === "request" && JSON.stringify(entry.body).includes(content)).length;
}

test("twenty who ask the same at once are one call, also for those who come after a restart", async () => {
  const replies = await Promise.all(Array.from({ length: ASKERS }, () => ask("Which colour?", 0)));
  expect(new Set(replies)).toEqual(new Set(["blue"]));
  expect(await asked("Which colour?")).toBe(1);
  await expect.poll(async () => (await costs()).calls).toBe(ASKERS);
  const { cacheHits, costNanoUsd, savedNanoUsd } = await costs();
  expect(cacheHits).toBe(ASKERS - 1);
  expect(savedNanoUsd).toBe(costNanoUsd * (ASKERS - 1));

  const { state } = kernel;
  await kernel.end();
  kernel = await KernelProcess.start(state, { OPENAI_API_KEY: "test", OPENAI_BASE_URL: model.baseUrl });
  expect(await ask("Which colour?", 0)).toBe("blue");
  expect(await asked("Which colour?")).toBe(1);
});

test("a request with a temperature is asked every time", async () => {
  await Promise.all([ask("Surprise me.", 1), ask("Surprise me.", 1)]);
  expect(await asked("Surprise me.")).toBe(2);
});
