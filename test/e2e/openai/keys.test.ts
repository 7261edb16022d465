import { afterAll, beforeAll, expect, test } from "vitest";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/** A vendor's key that is missing or wrong: who asks is told which variable to set, and nobody is ever shown a key. */

/** The scripted server refuses this one, and repeats it in its refusal. */
const WRONG_KEY = "wrong-key-0123456789";
const MODELS = { OPENAI_API_KEY: "openai/gpt-6-luna", KIMI_API_KEY: "kimi/kimi-k2.6" };

let server: ModelServer;
let kernel: KernelProcess;

/** All that the kernel answered in this file. */
let heard = "";

beforeAll(async () => {
  server = await ModelServer.start();
  kernel = await KernelProcess.start(undefined, {
    OPENAI_API_KEY: WRONG_KEY,
    OPENAI_BASE_URL: `${server.url}/openai/v1`,
    KIMI_API_KEY: WRONG_KEY,
    KIMI_BASE_URL: `${server.url}/kimi/v1`,
  });
});

afterAll(async () => {
  await kernel?.dispose();
  await server?.stop();
});

async function post(path: string, body: object): Promise<{ status: number; code: string; message: string }> {
  const headers = { Authorization: `Bearer ${kernel.adminKey}`, "Content-Type": "application/json" };
  const response = await fetch(`${kernel.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await response.text();
  heard += text;
  const { error } = JSON.parse(text) as { error: { code: string; message: string } };
  return { status: response.status, ...error };
}

test.each(Object.entries(MODELS))("a refused key names %s through the front", async (variable, model) => {
  const messages = [{ role: "user", content: "hello" }];
  for (const stream of [false, true]) {
    const refused = await post("/v1/chat/completions", { model, messages, stream });
    expect(refused).toMatchObject({ status: 502, code: "provider_auth" });
    expect(refused.message).toContain(`Set ${variable}`);
  }
  expect((await post("/v1/responses", { model, input: "hello" })).message).toContain(`Set ${variable}`);
});

test("a refused key names its variable where vectors are made", async () => {
  const refused = await post("/v1/embeddings", { model: "openai/text-embedding-3-small", input: "lamp" });
  expect(refused).toMatchObject({ status: 502, code: "provider_auth" });
  expect(refused.message).toContain("Set OPENAI_API_KEY");
});

test("a missing key names its variable, by every route", async () => {
  const messages = [{ role: "user", content: "hello" }];
  const missing = await post("/v1/chat/completions", { model: "deepseek/deepseek-flash", messages });
  expect(missing).toMatchObject({ status: 422, code: "unknown_model" });
  expect(missing.message).toContain("Set DEEPSEEK_API_KEY");
  const vectors = await post("/v1/embeddings", { model: "ollama/nomic-embed-text", input: "lamp" });
  expect(vectors.message).toContain("OLLAMA_BASE_URL");
});

test("a refused key fails an agent's message, and names the variable there", async () => {
  const client = new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
  const model = MODELS.OPENAI_API_KEY;
  const { id } = await client.agents.spawn({ name: "Asker", role: "asker", goal: "Ask.", model });
  const block = await client.agents.wait(id, { timeoutSeconds: 60 });
  const { items: messages } = await client.messages.list(id);
  const steps = await Array.fromAsync(client.agents.steps(id));
  const seen = JSON.stringify([block, messages, steps]);
  heard += seen;
  expect(seen).toContain("provider_auth");
  expect(seen).toContain("Set OPENAI_API_KEY");
});

test("no answer and no line of the kernel's output shows a key", async () => {
  const headers = { Authorization: `Bearer ${kernel.adminKey}` };
  for (const path of ["/v1/providers", "/v1/models", "/v1/audit", "/v1/costs/calls"]) {
    heard += await (await fetch(`${kernel.url}${path}`, { headers })).text();
  }
  const { adminKey } = kernel;
  const ended = await kernel.end();
  const shown = heard + ended.stdout + ended.stderr;
  expect(shown).toContain("provider_auth");
  expect(shown).not.toContain(WRONG_KEY);
  expect(shown).not.toContain(adminKey);
});
