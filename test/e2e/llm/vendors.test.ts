import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatMessage } from "../../../kernel/llm/chat.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import { asked, chat, lastBody, providerAt, replyOf, requestFor, TOOL, VENDORS, vendorCase } from "./vendor-rig.ts";

/** Each vendor as it is documented, over real sockets: plain, streamed, with tools, with reasoning, with its cache. */

let server: ModelServer;
beforeAll(async () => {
  server = await ModelServer.start();
});
afterAll(() => server.stop());

describe.each(VENDORS)("$name", (vendor) => {
  const provider = () => providerAt(server, vendor);

  it("answers with text that arrives in pieces, and with its own count of tokens", async () => {
    const usage = { promptTokens: 90, cachedTokens: 64, completionTokens: 17 };
    await server.script({ queue: [{ text: "Four, 四 4️⃣, as always.", chunkChars: 3, usage, keepAlives: 3 }] });
    const deltas: string[] = [];
    const reply = replyOf(await chat(provider(), requestFor(vendor), { onDelta: (text) => deltas.push(text) }));
    expect(reply).toMatchObject({ content: "Four, 四 4️⃣, as always.", toolCalls: [], finishReason: "stop" });
    expect(reply.usage).toEqual({
      promptTokens: 90,
      cachedTokens: vendor.completions ? 64 : 0,
      completionTokens: 17,
      reasoningTokens: 0,
      estimated: false,
    });
    expect(deltas.length).toBeGreaterThan(3);
    expect(deltas.join("")).toBe(reply.content);
  });

  it("says when the bound ended its reply", async () => {
    await server.script({ queue: [{ text: "Four and", finishReason: "length" }] });
    expect(replyOf(await chat(provider(), requestFor(vendor))).finishReason).toBe("length");
  });

  it("may answer in one piece", async () => {
    await server.script({ queue: [{ text: "Four.", whole: true }] });
    const reply = replyOf(await chat(provider(), requestFor(vendor)));
    expect([reply.content, reply.usage.estimated]).toEqual(["Four.", false]);
  });

  it("calls tools, takes their results, and hears of its own calls again", async () => {
    const toolCalls = [
      { name: "calculate", arguments: { expression: "2+2" } },
      { name: "calculate", arguments: { expression: "3+3" } },
    ];
    await server.script({ queue: [{ reasoning: "Sums.", toolCalls }, { text: "Four and six." }] });
    const request = { ...requestFor(vendor), tools: [TOOL] };
    const reply = replyOf(await chat(provider(), request));
    expect(reply.finishReason).toBe("tool_calls");
    expect(reply.reasoning).toBe("Sums.");
    expect(reply.toolCalls.map((call) => JSON.parse(call.function.arguments))).toEqual(
      toolCalls.map((call) => call.arguments),
    );
    expect(new Set(reply.toolCalls.map(({ id }) => id)).size).toBe(2);

    const messages: ChatMessage[] = [
      ...request.messages,
      {
        role: "assistant",
        content: null,
        tool_calls: reply.toolCalls,
        ...(vendor.reasons ? { reasoning_content: reply.reasoning } : {}),
      },
      ...reply.toolCalls.map(({ id }): ChatMessage => ({ role: "tool", tool_call_id: id, content: "4" })),
    ];
    expect(replyOf(await chat(provider(), { ...request, messages })).content).toBe("Four and six.");
  });

  it("takes a conversation whose reasoning was not kept", async () => {
    await server.script({ queue: [{ text: "Four." }] });
    const call = { id: "c1", type: "function" as const, function: { name: "calculate", arguments: "{}" } };
    const messages: ChatMessage[] = [
      asked("Sum"),
      { role: "assistant", content: "Hello." },
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", tool_call_id: "c1", content: "4" },
    ];
    expect(replyOf(await chat(provider(), { ...requestFor(vendor, messages), tools: [TOOL] })).content).toBe("Four.");
  });

  it("counts what it thought beside what it said", async () => {
    const usage = { completionTokens: 30, reasoningTokens: 20 };
    await server.script({ queue: [{ reasoning: "Two and two…", text: "Four.", chunkChars: 4, usage }] });
    const reply = replyOf(await chat(provider(), requestFor(vendor)));
    expect([reply.reasoning, reply.content]).toEqual(["Two and two…", "Four."]);
    expect(reply.usage.completionTokens).toBe(30);
    expect(reply.usage.reasoningTokens).toBe(vendor.completions ? 20 : 0);
  });

  it("has an upper bound for usage when none is sent", async () => {
    await server.script({ queue: [{ text: "Four.", usage: null }] });
    const { usage } = replyOf(await chat(provider(), requestFor(vendor)));
    expect(usage.estimated).toBe(true);
    expect(usage.promptTokens).toBeGreaterThan("How much is 2+2?".length);
    expect(usage.completionTokens).toBeLessThanOrEqual(256);
  });

  it("bounds the reply, and takes what a caller wants of temperature", async () => {
    await server.script({ queue: [{ text: "Four." }] });
    replyOf(await chat(provider(), { ...requestFor(vendor), temperature: 0.2, user: "tenant-1" }));
    const body = await lastBody(server);
    const bound = body["max_completion_tokens"] ?? body["max_tokens"] ?? numPredict(body);
    expect([bound, body["stream"]]).toEqual([256, true]);
  });

  it("takes what a client set, without what it would refuse", async () => {
    await server.script({ queue: [{ text: "{}" }] });
    const passed = { tool_choice: "required", response_format: { type: "json_object" }, seed: 7 };
    replyOf(await chat(provider(), { ...requestFor(vendor), tools: [TOOL], passed }));
    const body = await lastBody(server);
    expect(body["tool_choice"]).toBe(vendor.name === "openai" ? "required" : undefined);
    expect(body["format"] ?? body["response_format"]).toEqual(vendor.completions ? passed.response_format : "json");
  });

  it("lists its models", async () => {
    const offered = await provider().offered(AbortSignal.timeout(10_000));
    expect(offered.ok && offered.value.map(({ id }) => id)).toContain(vendor.model);
  });
});

describe.each(VENDORS.filter(({ cacheUnit }) => cacheUnit !== null))("the prefix cache of $name", (vendor) => {
  it("hits what stayed the same from the beginning on, and says how much", async () => {
    await server.script({});
    const long = asked(`${vendor.name} ${"the same words again and again ".repeat(300)}`);
    const ask = async (messages: ChatMessage[]) => {
      const request = { ...requestFor(vendor, messages), user: "tenant-1" };
      return replyOf(await chat(providerAt(server, vendor), request)).usage;
    };
    expect((await ask([long])).cachedTokens).toBe(0);
    const again = await ask([long, asked("And now?")]);
    expect(again.cachedTokens).toBeGreaterThan(2_000);
    expect(again.cachedTokens % (vendor.cacheUnit ?? 1)).toBe(0);
    expect((await ask([asked("Something else"), long])).cachedTokens).toBe(0);
  });
});

it("the cache of DeepSeek is apart for each user", async () => {
  await server.script({});
  const vendor = vendorCase("deepseek");
  const words = asked("words that two tenants happen to share ".repeat(100));
  const ask = async (user: string) =>
    replyOf(await chat(providerAt(server, vendor), { ...requestFor(vendor, [words]), user })).usage.cachedTokens;
  expect(await ask("one")).toBe(0);
  expect(await ask("two")).toBe(0);
  expect(await ask("one")).toBeGreaterThan(900);
});

describe.each(["deepseek", "kimi"])("a reply that %s goes on with", (name) => {
  const vendor = vendorCase(name);

  it("begins as it was begun, and only the rest is written and billed", async () => {
    const usage = { promptTokens: 50, completionTokens: 3 };
    await server.script({ queue: [{ reasoning: "Cities.", text: "Paris is the capital of France.", usage }] });
    const deltas: string[] = [];
    const partials: string[] = [];
    const request = { ...requestFor(vendor), prefill: { content: "Paris is the ", reasoning: "Cities." } };
    const reply = replyOf(
      await chat(providerAt(server, vendor), request, {
        onDelta: (text) => deltas.push(text),
        onPartial: ({ content }) => partials.push(content),
      }),
    );
    expect(reply.content).toBe("Paris is the capital of France.");
    expect(reply.reasoning).toBe("Cities.");
    expect(reply.usage.completionTokens).toBe(3);
    expect(deltas.join("")).toBe("capital of France.");
    expect(partials.at(-1)).toBe(reply.content);
  });
});

describe("a prompt that Ollama cuts", () => {
  const vendor = vendorCase("ollama");
  const long = asked("a long story without end ".repeat(8_000));

  it("is refused by servers that are told not to cut", async () => {
    await server.script({});
    const outcome = await chat(providerAt(server, vendor), requestFor(vendor, [long]));
    expect(!outcome.ok && [outcome.error.code, outcome.retryable]).toEqual(["context_overflow", false]);
  });

  it("is found by the count of servers that cut all the same, and their reply is no reply", async () => {
    await server.script({ queue: [{ text: "A story of what?" }] });
    const request = { ...requestFor(vendor, [long]), model: "old-mistral" };
    const outcome = await chat(providerAt(server, vendor), request);
    expect(!outcome.ok && outcome.error.code).toBe("context_overflow");
    expect(!outcome.ok && outcome.usage?.promptTokens).toBe(16_384);
  });

  it("is asked for with one window and kept loaded, so that the next step finds its cache", async () => {
    await server.script({ queue: [{ text: "Four." }] });
    replyOf(await chat(providerAt(server, vendor), requestFor(vendor)));
    const body = await lastBody(server);
    expect(body).toMatchObject({ truncate: false, shift: false, keep_alive: 600, options: { num_ctx: 16_384 } });
  });

  it("knows how long a context each model was trained for", async () => {
    const offered = await providerAt(server, vendor).offered(AbortSignal.timeout(10_000));
    expect(offered.ok && offered.value).toContainEqual({ id: "llama3.2:1b", contextTokens: 8_192 });
  });
});

function numPredict(body: Record<string, unknown>): unknown {
  return (body["options"] as { num_predict?: number } | undefined)?.num_predict;
}
