import { createOpenAI } from "@ai-sdk/openai";
import { Agent, tool as agentTool, OpenAIProvider, Runner } from "@openai/agents";
import { generateText, isStepCount, streamText, tool } from "ai";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { ModelServer } from "../../support/model-server/client.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/** The clients that people have, unchanged, against the kernel's OpenAI-compatible front; behind it, a model server. */

const MODEL = "openai/gpt-6-luna";
const WEATHER = { name: "weather", arguments: { city: "Oslo" } };

let model: ModelServer;
let kernel: KernelProcess;
let baseURL: string;

beforeAll(async () => {
  model = await ModelServer.start();
  kernel = await KernelProcess.start(undefined, { OPENAI_API_KEY: "test", OPENAI_BASE_URL: model.baseUrl });
  baseURL = `${kernel.url}/v1`;
  await model.script({
    rules: [
      { match: { lastTool: "snow" }, reply: { text: "It snows in Oslo.", chunkChars: 4 } },
      { match: { lastUser: "weather" }, reply: { toolCalls: [WEATHER] } },
      {
        match: { lastUser: "how many" },
        reply: { reasoning: "One, two, three.", text: "Three of them.", chunkChars: 4 },
      },
      { match: { lastUser: "refuse" }, reply: { fault: { kind: "status", status: 400, message: "no such thing" } } },
      {
        reply: {
          text: "Hello from behind the kernel.",
          chunkChars: 5,
          usage: { promptTokens: 7, completionTokens: 9 },
        },
      },
    ],
  });
});

afterAll(async () => {
  await kernel?.dispose();
  await model?.stop();
});

/** What the tools of every client do. */
function forecast({ city }: { city: string }): string {
  return `${city}: snow`;
}

describe("the openai package", () => {
  const client = () => new OpenAI({ baseURL, apiKey: kernel.adminKey, maxRetries: 0 });
  const messages = [{ role: "user" as const, content: "hello" }];

  test("completes a conversation", async () => {
    const completion = await client().chat.completions.create({ model: MODEL, messages });
    expect(completion.choices[0]?.message.content).toBe("Hello from behind the kernel.");
    expect(completion.usage).toMatchObject({ prompt_tokens: 7, completion_tokens: 9, total_tokens: 16 });
  });

  test("streams it, and puts the pieces together", async () => {
    const stream = client().chat.completions.stream({
      model: MODEL,
      messages,
      stream_options: { include_usage: true },
    });
    let pieces = 0;
    stream.on("content", () => pieces++);
    const completion = await stream.finalChatCompletion();
    expect(completion.choices[0]?.message.content).toBe("Hello from behind the kernel.");
    expect(completion.usage?.total_tokens).toBe(16);
    expect(pieces).toBeGreaterThan(1);
  });

  test("is shown what the model thinks before its answer, piece by piece, as DeepSeek's clients read it", async () => {
    const stream = await client().chat.completions.create({
      model: MODEL,
      messages: [{ role: "user", content: "how many are there?" }],
      stream: true,
    });
    const thoughts: string[] = [];
    let answer = "";
    for await (const { choices } of stream) {
      const delta: { content?: string | null; reasoning_content?: string } = choices[0]?.delta ?? {};
      if (delta.reasoning_content !== undefined) thoughts.push(delta.reasoning_content);
      if (delta.reasoning_content !== undefined) expect(answer).toBe("");
      answer += delta.content ?? "";
    }
    expect(thoughts.join("")).toBe("One, two, three.");
    expect(thoughts.length).toBeGreaterThan(1);
    expect(answer).toBe("Three of them.");
  });

  test("runs the caller's tools to the end", async () => {
    const runner = client().chat.completions.runTools({
      model: MODEL,
      messages: [{ role: "user", content: "How is the weather?" }],
      tools: [
        {
          type: "function",
          function: {
            name: "weather",
            description: "The weather of a city.",
            parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
            parse: (text: string) => JSON.parse(text) as { city: string },
            function: forecast,
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBe("It snows in Oslo.");
  });

  test("gets a response, whole and streamed", async () => {
    const response = await client().responses.create({ model: MODEL, input: "hello" });
    expect(response.output_text).toBe("Hello from behind the kernel.");
    const stream = client().responses.stream({ model: MODEL, input: "hello" });
    const final = await stream.finalResponse();
    expect(final.output_text).toBe("Hello from behind the kernel.");
    expect(final.usage?.total_tokens).toBe(16);
  });

  test("lists the models", async () => {
    const { data } = await client().models.list();
    expect(data.map(({ id }) => id)).toContain(MODEL);
  });

  test("throws the error that fits", async () => {
    const bad = new OpenAI({ baseURL, apiKey: "nobody", maxRetries: 0 });
    await expect(bad.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    const unknown = client().chat.completions.create({ model: "nobody/x", messages });
    await expect(unknown).rejects.toMatchObject({ status: 422, code: "unknown_model" });
    const rejected = client().chat.completions.create({
      model: MODEL,
      messages: [{ role: "user", content: "refuse" }],
    });
    await expect(rejected).rejects.toMatchObject({ status: 502, code: "provider_rejected", type: "server_error" });
  });
});

describe("the Vercel AI SDK", () => {
  const provider = () => createOpenAI({ baseURL, apiKey: kernel.adminKey });
  const tools = { weather: tool({ inputSchema: z.object({ city: z.string() }), execute: forecast }) };

  test.each(["chat", "responses"] as const)("generates text by %s, tools and all", async (surface) => {
    const spoken = await generateText({ model: provider()[surface](MODEL), prompt: "hello", maxRetries: 0 });
    expect(spoken.text).toBe("Hello from behind the kernel.");
    const { text, steps } = await generateText({
      model: provider()[surface](MODEL),
      prompt: "How is the weather?",
      tools,
      stopWhen: isStepCount(3),
      maxRetries: 0,
    });
    expect(text).toBe("It snows in Oslo.");
    expect(steps).toHaveLength(2);
  });

  test.each(["chat", "responses"] as const)("streams text by %s", async (surface) => {
    const { textStream, usage } = streamText({ model: provider()[surface](MODEL), prompt: "hello", maxRetries: 0 });
    const pieces: string[] = [];
    for await (const piece of textStream) pieces.push(piece);
    expect(pieces.join("")).toBe("Hello from behind the kernel.");
    expect(pieces.length).toBeGreaterThan(1);
    expect(await usage).toMatchObject({ inputTokens: 7, outputTokens: 9 });
  });
});

describe("@openai/agents", () => {
  const weather = agentTool({
    name: "weather",
    description: "The weather of a city.",
    parameters: z.object({ city: z.string() }),
    execute: async (input) => forecast(input),
  });

  test.each([
    ["chat completions", false],
    ["responses", true],
  ])("runs an agent with a tool by %s", async (_, useResponses) => {
    const openAIClient = new OpenAI({ baseURL, apiKey: kernel.adminKey, maxRetries: 0 });
    const modelProvider = new OpenAIProvider({ openAIClient, useResponses });
    const runner = new Runner({ modelProvider, tracingDisabled: true });
    const agent = new Agent({ name: "Forecaster", instructions: "Be brief.", model: MODEL, tools: [weather] });
    const { finalOutput } = await runner.run(agent, "How is the weather?");
    expect(finalOutput).toBe("It snows in Oslo.");
  });
});
