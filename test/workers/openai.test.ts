import { beforeAll, describe, expect, test } from "vitest";
import type { OpenAiErrorDocument } from "../../workers/api/openai/openai-error.ts";
import { boot, json, request, spawnDaemon } from "./kernel-client.ts";

/** The OpenAI-compatible routes, over the embedded model and agents. The vendors' own clients are in test/e2e/openai. */

beforeAll(() => boot());

const MODEL = "local/reader";
const QUESTION = [{ role: "user", content: "What is 6 * 7?" }];

interface Completion {
  id: string;
  choices: { message: { content: string | null; tool_calls?: unknown[] }; finish_reason: string }[];
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
}

async function refused(status: number, path: string, body: unknown, key?: string | null) {
  const response = await request("POST", path, { body, ...(key !== undefined && { key }) });
  const document = (await response.json()) as OpenAiErrorDocument;
  expect(response.status, JSON.stringify(document)).toBe(status);
  expect(response.headers.get("Content-Type")).toBe("application/json");
  return document.error;
}

/** The data of the frames of an event stream. */
async function frames(path: string, body: object): Promise<string[]> {
  const response = await request("POST", path, { body: { ...body, stream: true } });
  expect(response.headers.get("Content-Type")).toBe("text/event-stream; charset=utf-8");
  const lines = (await response.text()).split("\n");
  return lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice("data: ".length));
}

describe("a chat completion", () => {
  test("comes whole, in OpenAI's shape, with its usage", async () => {
    const body = { model: MODEL, messages: QUESTION };
    const completion = await json<Completion>(200, "POST", "/v1/chat/completions", { body });
    expect(completion).toMatchObject({ object: "chat.completion", model: MODEL });
    expect(completion.choices[0]).toMatchObject({ finish_reason: "stop", message: { role: "assistant" } });
    expect(completion.choices[0]?.message.content).toContain(MODEL);
    const { prompt_tokens: prompt, completion_tokens: completed, total_tokens: total } = completion.usage;
    expect([prompt > 0, completed > 0, total]).toEqual([true, true, prompt + completed]);
  });

  test("streams chunks that add up to the same, usage when asked for, and [DONE]", async () => {
    const whole = await json<Completion>(200, "POST", "/v1/chat/completions", {
      body: { model: MODEL, messages: QUESTION },
    });
    const data = await frames("/v1/chat/completions", {
      model: MODEL,
      messages: QUESTION,
      stream_options: { include_usage: true },
    });
    expect(data.at(-1)).toBe("[DONE]");
    const chunks = data.slice(0, -1).map((text) => JSON.parse(text));
    const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("");
    expect(text).toBe(whole.choices[0]?.message.content);
    expect(chunks.at(-2).choices[0].finish_reason).toBe("stop");
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: whole.usage });
  });

  test("asks for the client's tools", async () => {
    const tool = { name: "calculate", description: "", parameters: { type: "object", properties: {} } };
    const body = {
      model: MODEL,
      messages: [{ role: "user", content: 'call calculate with {"expression":"1+1"}' }],
      tools: [{ type: "function", function: tool }],
    };
    const completion = await json<Completion>(200, "POST", "/v1/chat/completions", { body });
    expect(completion.choices[0]).toMatchObject({ finish_reason: "tool_calls" });
    expect(completion.choices[0]?.message).toMatchObject({
      content: null,
      tool_calls: [{ type: "function", function: { name: "calculate", arguments: '{"expression":"1+1"}' } }],
    });
  });

  test("stands in the ledger under the key that asked", async () => {
    const tenant = "metered";
    const body = { model: MODEL, messages: QUESTION };
    const { usage } = await json<Completion>(200, "POST", "/v1/chat/completions", { body, tenant });
    const settled = () => json<{ items: object[] }>(200, "GET", "/v1/costs", { tenant });
    await expect
      .poll(async () => (await settled()).items)
      .toMatchObject([
        {
          key: "key:bootstrap",
          calls: 1,
          promptTokens: usage.prompt_tokens,
          completionTokens: usage.completion_tokens,
        },
      ]);
  });
});

describe("a budget", () => {
  test("admits calls while there is room, and not one more of fifty at once", async () => {
    const tenant = "frugal";
    await json(200, "PUT", "/v1/quotas", { body: { quotas: { steps: 10 } }, tenant });
    const call = { body: { model: MODEL, messages: QUESTION }, headers: { "X-AOS-Cache": "no" }, tenant };
    const ask = () => request("POST", "/v1/chat/completions", call);
    const replies = await Promise.all(Array.from({ length: 50 }, ask));
    const statuses = replies.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(40);
    const denied = (await replies.find(({ status }) => status === 429)?.json()) as OpenAiErrorDocument | undefined;
    expect(denied?.error).toMatchObject({ type: "insufficient_quota", code: "quota_exceeded" });
    expect(denied?.error.message).toContain("steps");
  });
});

describe("an agent as a model", () => {
  test("answers the newest user message from its own memory", async () => {
    const { id } = await spawnDaemon();
    await json(201, "POST", `/v1/agents/${id}/pages`, { body: { content: "The lighthouse keeper is called Imogen." } });
    const body = { model: `agent/${id}`, messages: [{ role: "user", content: "Who keeps the lighthouse?" }] };
    const completion = await json<Completion>(200, "POST", "/v1/chat/completions", { body });
    expect(completion.choices[0]?.message.content).toContain("Imogen");
    expect(completion.usage.prompt_tokens).toBeGreaterThan(0);
  });

  test("streams the same reply", async () => {
    const { id } = await spawnDaemon();
    const data = await frames("/v1/chat/completions", { model: `agent/${id}`, messages: QUESTION });
    const chunks = data.slice(0, -1).map((text) => JSON.parse(text));
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toContain("42");
    expect(data.at(-1)).toBe("[DONE]");
  });

  test("that is not there is refused like one of another tenant", async () => {
    const { id } = await spawnDaemon({}, "elsewhere");
    const ask = (model: string) => refused(404, "/v1/chat/completions", { model, messages: QUESTION });
    expect(await ask(`agent/${id}`)).toEqual(await ask("agent/agt_nobody"));
  });
});

describe("a response", () => {
  test("comes whole, in the shape of the Responses API", async () => {
    const response = await json(200, "POST", "/v1/responses", { body: { model: MODEL, input: "What is 6 * 7?" } });
    expect(response).toMatchObject({
      object: "response",
      status: "completed",
      output: [{ type: "message", role: "assistant", content: [{ type: "output_text" }] }],
    });
    expect(JSON.stringify(response)).toContain("I am local/reader");
  });

  test("streams numbered events, the whole response last", async () => {
    const events = (await frames("/v1/responses", { model: MODEL, input: "What is 6 * 7?" })).map((data) =>
      JSON.parse(data),
    );
    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, index) => index));
    const types = [...new Set(events.map(({ type }) => type))];
    expect(types).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
    const text = events.filter(({ type }) => type === "response.output_text.delta").map(({ delta }) => delta);
    expect(events.at(-1).response.output[0].content[0].text).toBe(text.join(""));
  });

  test("goes on after the outputs of functions", async () => {
    const input = [
      { role: "user", content: 'call calculate with {"expression":"1+1"}' },
      { type: "function_call", call_id: "c1", name: "calculate", arguments: '{"expression":"1+1"}' },
      { type: "function_call_output", call_id: "c1", output: '{"ok":true,"result":"2"}' },
    ];
    const tools = [{ type: "function", name: "calculate", parameters: { type: "object", properties: {} } }];
    const response = await json(200, "POST", "/v1/responses", { body: { model: MODEL, input, tools } });
    expect(response).toMatchObject({ status: "completed", output: [{ type: "message" }] });
  });
});

describe("what cannot be served", () => {
  test.each([
    ["no key", 401, "authentication_error", { model: MODEL, messages: QUESTION }, null],
    ["a model nobody serves", 422, "invalid_request_error", { model: "nobody/x", messages: QUESTION }, undefined],
    ["two choices", 422, "invalid_request_error", { model: MODEL, messages: QUESTION, n: 2 }, undefined],
    [
      "a field that does not exist",
      422,
      "invalid_request_error",
      { model: MODEL, messages: QUESTION, colour: 1 },
      undefined,
    ],
    ["no messages", 422, "invalid_request_error", { model: MODEL, messages: [] }, undefined],
  ])("%s is said in OpenAI's words", async (_, status, type, body, key) => {
    expect(await refused(status, "/v1/chat/completions", body, key)).toMatchObject({ type });
  });

  test("an image names the field that holds it", async () => {
    const content = [{ type: "image_url", image_url: { url: "https://example.org/cat.png" } }];
    const error = await refused(422, "/v1/chat/completions", { model: MODEL, messages: [{ role: "user", content }] });
    expect(error).toMatchObject({ param: "messages[0].content", code: "invalid_input" });
  });

  test("a conversation that the kernel should remember points to agents", async () => {
    const error = await refused(422, "/v1/responses", { model: MODEL, input: "hi", previous_response_id: "resp_1" });
    expect(error.message).toContain("agent/{id}");
  });

  test("a body that is no JSON is 400", async () => {
    const headers = { "Content-Type": "application/json" };
    const response = await request("POST", "/v1/chat/completions", { raw: "{", headers });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "invalid_json", type: "invalid_request_error" } });
  });
});
