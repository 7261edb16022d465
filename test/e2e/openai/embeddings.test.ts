import { createOpenAI } from "@ai-sdk/openai";
import { embedMany } from "ai";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import { vectorOf } from "../../support/model-server/embeddings.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/** Vectors of texts through the front, with the clients that people have. */

const SMALL = "openai/text-embedding-3-small";
const OLLAMA = "ollama/nomic-embed-text";
const TEXTS = ["a lamp", "the sea at night", "Grüße"];

let server: ModelServer;
let kernel: KernelProcess;
let client: OpenAI;

beforeAll(async () => {
  server = await ModelServer.start();
  kernel = await KernelProcess.start(undefined, {
    OPENAI_API_KEY: "test",
    OPENAI_BASE_URL: `${server.url}/openai/v1`,
    OLLAMA_BASE_URL: `${server.url}/ollama`,
  });
  client = new OpenAI({ baseURL: `${kernel.url}/v1`, apiKey: kernel.adminKey, maxRetries: 0 });
});

afterAll(async () => {
  await kernel?.dispose();
  await server?.stop();
});

beforeEach(() => server.script({}));

async function newestEntry() {
  const { items } = await new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey }).ledger.calls({ limit: 1 });
  return items[0];
}

describe("the openai package", () => {
  test.each([SMALL, OLLAMA])("gets a vector a text of %s, in their order", async (model) => {
    const { data, usage } = await client.embeddings.create({ model, input: TEXTS });
    expect(data.map(({ embedding }) => embedding)).toEqual(TEXTS.map((text) => vectorOf(text)));
    expect(usage).toEqual({ prompt_tokens: 8, total_tokens: 8 });
  });

  test("gets numbers when it asks for them, and as many as it asks for", async () => {
    const { data } = await client.embeddings.create({
      model: SMALL,
      input: "a lamp",
      encoding_format: "float",
      dimensions: 4,
    });
    expect(data).toEqual([{ object: "embedding", index: 0, embedding: vectorOf("a lamp", 4) }]);
  });

  test("is told what is not taken, and who makes no embeddings", async () => {
    const tokens = client.embeddings.create({ model: SMALL, input: [[1, 2, 3]] });
    await expect(tokens).rejects.toMatchObject({ status: 422, param: "input", message: /tokens are not taken/ });
    for (const model of ["deepseek/deepseek-flash", "local/reader", "agent/agt_x"]) {
      await expect(client.embeddings.create({ model, input: "x" })).rejects.toMatchObject({ code: "unknown_model" });
    }
  });

  test("gets the vendor's refusal as the kernel's", async () => {
    await server.script({ rules: [{ reply: { fault: { kind: "status", status: 400, message: "too long" } } }] });
    const refused = client.embeddings.create({ model: SMALL, input: "x" });
    await expect(refused).rejects.toMatchObject({ status: 502, code: "provider_rejected" });
  });

  test("lists their models with what OpenAI's list says of each", async () => {
    const { data } = await client.models.list();
    const small = data.find(({ id }) => id === SMALL);
    expect(small).toMatchObject({ object: "model", owned_by: "openai", created: expect.any(Number) });
  });
});

test("the Vercel AI SDK embeds many texts", async () => {
  const provider = createOpenAI({ baseURL: `${kernel.url}/v1`, apiKey: kernel.adminKey });
  const { embeddings, usage } = await embedMany({ model: provider.embedding(SMALL), values: TEXTS, maxRetries: 0 });
  expect(embeddings).toEqual(TEXTS.map((text) => vectorOf(text)));
  expect(usage.tokens).toBe(8);
});

describe("the ledger", () => {
  test("has one entry a request, at the price of the model", async () => {
    const input = Array.from({ length: 500 }, (_, number) => `text number ${number}`);
    const { usage } = await client.embeddings.create({ model: SMALL, input });
    await expect.poll(newestEntry).toMatchObject({
      model: SMALL,
      state: "settled",
      promptTokens: usage.prompt_tokens,
      completionTokens: 0,
      // $0.02 for a million tokens: 20 nano-dollars each.
      costNanoUsd: usage.prompt_tokens * 20,
    });
  });

  test("counts what broke off at its upper bound", async () => {
    await server.script({ rules: [{ reply: { fault: { kind: "status", status: 500 } } }] });
    await expect(client.embeddings.create({ model: SMALL, input: "a lamp" })).rejects.toMatchObject({ status: 502 });
    // Six bytes and what vendors may add to them.
    await expect.poll(newestEntry).toMatchObject({ model: SMALL, state: "unknown", costNanoUsd: (6 + 4) * 20 });
  });
});

describe("texts that were embedded before", () => {
  const asked = async (text: string) =>
    (await server.journal()).filter((entry) => entry.type === "request" && JSON.stringify(entry.body).includes(text))
      .length;

  test("are not sent again: whoever asks gets the same vectors, and the ledger says what that saved", async () => {
    const embed = () => client.embeddings.create({ model: SMALL, input: ["a harbour", "a lighthouse"] });
    const [first, ...others] = await Promise.all([embed(), embed(), embed()]);
    expect(others).toEqual([first, first]);
    expect(await embed()).toEqual(first);
    expect(await asked("a lighthouse")).toBe(1);
    const tokens = first?.usage.prompt_tokens ?? 0;
    await expect
      .poll(newestEntry)
      .toMatchObject({ model: SMALL, cache: "memory", costNanoUsd: 0, savedNanoUsd: tokens * 20 });
  });

  test("are sent again for shorter vectors, and for whoever wants them made", async () => {
    const texts = { model: SMALL, input: "a pier" };
    await client.embeddings.create(texts);
    await client.embeddings.create({ ...texts, dimensions: 4 });
    await client.embeddings.create(texts, { headers: { "X-AOS-Cache": "no" } });
    expect(await asked("a pier")).toBe(3);
  });
});

test("a tenant's budget holds for embeddings too", async () => {
  const headers = { Authorization: `Bearer ${kernel.adminKey}`, "Content-Type": "application/json" };
  const set = (tokens: number) =>
    fetch(`${kernel.url}/v1/quotas`, { method: "PUT", headers, body: JSON.stringify({ quotas: { tokens } }) });
  expect((await set(1)).status).toBe(200);
  const refused = client.embeddings.create({ model: SMALL, input: "much more than one token" });
  await expect(refused).rejects.toMatchObject({ status: 429, code: "quota_exceeded" });
  expect((await set(1_000_000_000)).status).toBe(200);
});
