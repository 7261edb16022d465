import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LIMITS } from "../../../kernel/limits.ts";
import type { ChatRequest } from "../../../kernel/llm/chat.ts";
import { OpenAiCompatible } from "../../../kernel/llm/openai-compatible.ts";
import type { ChatOutcome } from "../../../kernel/llm/provider.ts";
import { deepseek } from "../../../kernel/llm/providers/deepseek.ts";
import { openai } from "../../../kernel/llm/providers/openai.ts";
import type { ChatVendor } from "../../../kernel/llm/vendor.ts";
import { breakingServer } from "../../support/breaking-server.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import type { Fault, ScriptedReply } from "../../support/model-server/script.ts";

/** The adapter against a real server in another process, over real sockets, through every way a vendor can fail. */

const KEY = "sk-secret-0123456789";
const clock = { now: () => Date.now() };
const request: ChatRequest = {
  model: "test-model",
  messages: [{ role: "user", content: "What is the capital of France?" }],
  tools: [],
  maxOutputTokens: 256,
};

let server: ModelServer;
beforeAll(async () => {
  server = await ModelServer.start();
});
afterAll(() => server.stop());

function provider(vendor: ChatVendor = openai, baseUrl = server.baseUrl, idleMs = 300): OpenAiCompatible {
  const deadlines = { headersMs: 300, idleMs, totalMs: 3_000 };
  return new OpenAiCompatible(vendor, { baseUrl, apiKey: KEY, fetch, clock, deadlines });
}

/** One that does not mind half a second more. */
function patient(baseUrl = server.baseUrl): OpenAiCompatible {
  return new OpenAiCompatible(openai, { baseUrl, apiKey: KEY, fetch, clock });
}

async function chat(reply: ScriptedReply, signal = AbortSignal.timeout(5_000), ask = request): Promise<ChatOutcome> {
  await server.script({ queue: [reply] });
  return provider().chat(ask, { signal });
}

/** A port that was free a moment ago. */
async function closedPort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function lastBody(): Promise<Record<string, unknown>> {
  const entry = (await server.journal()).findLast(({ type }) => type === "request");
  return (entry?.type === "request" ? entry.body : {}) as Record<string, unknown>;
}

function failure(outcome: ChatOutcome) {
  if (outcome.ok) throw new Error(`accepted: ${outcome.reply.content}`);
  return { code: outcome.error.code, retryable: outcome.retryable, billed: outcome.billed };
}

describe("a careful request", () => {
  it("arrives whole, its last byte late", async () => {
    await server.script({ queue: [{ text: "Paris 巴黎" }] });
    const longer = { ...request, messages: [{ role: "user" as const, content: "巴黎 ".repeat(50_000) }] };
    const outcome = await patient().chat(longer, { signal: AbortSignal.timeout(5_000), careful: true });
    expect(outcome).toMatchObject({ ok: true, reply: { content: "Paris 巴黎" } });
    expect(await lastBody()).toMatchObject({ messages: longer.messages });
  });

  it("costs nothing when the connection breaks before its end, and is in doubt when it breaks after", async () => {
    for (const [when, billed] of [
      ["on accept", "none"],
      ["in the body", "none"],
      ["after the request", "unknown"],
    ] as const) {
      const broken = await breakingServer(when);
      const outcome = await patient(`${broken.url}/v1`).chat(request, {
        signal: AbortSignal.timeout(5_000),
        careful: true,
      });
      expect([when, failure(outcome)]).toEqual([when, { code: "provider_unavailable", retryable: true, billed }]);
      broken.stop();
    }
  });
});

describe("a whole reply", () => {
  it("arrives as text in pieces, with the vendor's usage", async () => {
    const usage = { promptTokens: 90, cachedTokens: 64, completionTokens: 7, reasoningTokens: 3 };
    await server.script({ queue: [{ text: "Paris, 巴黎 🗼 of course.", chunkChars: 3, usage, keepAlives: 3 }] });
    const deltas: string[] = [];
    const outcome = await provider().chat(request, {
      signal: AbortSignal.timeout(5_000),
      onDelta: (text) => deltas.push(text),
    });
    expect(outcome).toEqual({
      ok: true,
      reply: {
        content: "Paris, 巴黎 🗼 of course.",
        reasoning: "",
        toolCalls: [],
        finishReason: "stop",
        usage: { ...usage, estimated: false },
      },
    });
    expect(deltas.length).toBeGreaterThan(3);
    expect(deltas.join("")).toBe("Paris, 巴黎 🗼 of course.");
  });

  it("carries reasoning and parallel tool calls, put together by index", async () => {
    const outcome = await chat({
      reasoning: "I should look it up.",
      toolCalls: [
        { name: "memory_search", arguments: { query: "capital of France" } },
        { name: "calculate", arguments: { expression: "2+2" } },
      ],
    });
    expect(outcome.ok && outcome.reply.reasoning).toBe("I should look it up.");
    expect(outcome.ok && outcome.reply.finishReason).toBe("tool_calls");
    expect(outcome.ok && outcome.reply.toolCalls.map((call) => call.function)).toEqual([
      { name: "memory_search", arguments: '{"query":"capital of France"}' },
      { name: "calculate", arguments: '{"expression":"2+2"}' },
    ]);
  });

  it("keeps malformed tool arguments as the model wrote them", async () => {
    const outcome = await chat({ toolCalls: [{ name: "calculate", arguments: '{"expression": 2+' }] });
    expect(outcome.ok && outcome.reply.toolCalls[0]?.function.arguments).toBe('{"expression": 2+');
  });

  it("counts once when its terminal events come twice", async () => {
    const outcome = await chat({ text: "Paris", fault: { kind: "doubled_end" } });
    expect(outcome.ok && outcome.reply.content).toBe("Paris");
  });

  it("is accepted as one JSON value from a server that does not stream", async () => {
    const outcome = await chat({ text: "Paris", whole: true });
    expect(outcome.ok && outcome.reply.content).toBe("Paris");
  });

  it("has an upper bound for usage when the vendor sends none", async () => {
    const outcome = await chat({ text: "Paris", usage: null });
    const usage = outcome.ok ? outcome.reply.usage : null;
    expect(usage?.estimated).toBe(true);
    expect(usage?.promptTokens).toBeGreaterThan(JSON.stringify(request.messages).length);
    expect(usage?.completionTokens).toBeGreaterThanOrEqual("Paris".length);
    expect(usage?.completionTokens).toBeLessThanOrEqual(request.maxOutputTokens);
  });
});

describe("a request", () => {
  it("is streamed, asks for usage and bounds the reply", async () => {
    await chat({ text: "ok" });
    const body = await lastBody();
    expect(body).toMatchObject({ stream: true, stream_options: { include_usage: true }, max_tokens: 256 });
    expect(body).not.toHaveProperty("tools");
  });

  it("follows the vendor's differences", async () => {
    await server.script({});
    const tools = [
      { type: "function" as const, function: { name: "f", description: "", parameters: { type: "object" } } },
    ];
    const ask = { ...request, model: "gpt-6-luna", tools, temperature: 0.2, user: "tenant-1" };
    await provider().chat(ask, { signal: AbortSignal.timeout(5_000) });
    const body = await lastBody();
    expect(body).toMatchObject({ max_completion_tokens: 256, reasoning_effort: "none", user: "tenant-1" });
    expect(body).not.toHaveProperty("temperature");

    const turn = { role: "assistant" as const, content: null, reasoning_content: "Because.", tool_calls: [] };
    const call = { id: "c1", type: "function" as const, function: { name: "f", arguments: "{}" } };
    const messages = [turn, { ...turn, tool_calls: [call] }];
    await provider(deepseek).chat(
      { ...ask, model: "deepseek-flash", messages },
      { signal: AbortSignal.timeout(5_000) },
    );
    const other = await lastBody();
    expect(other).toMatchObject({ max_tokens: 256, user_id: "tenant-1" });
    expect(other["messages"]).toEqual([
      { role: "assistant", content: null, reasoning_content: "Because." },
      { role: "assistant", content: null, tool_calls: [call], reasoning_content: "Because." },
    ]);
  });
});

describe("a reply that is not whole is never accepted", () => {
  const text = "Paris is the capital of France, and has been for centuries.";
  const cases: [string, Fault, string][] = [
    ["a connection that closes in order", { kind: "fin", afterChunks: 2 }, "provider_truncated"],
    ["a connection that closes before the first chunk", { kind: "fin", afterChunks: 0 }, "provider_truncated"],
    ["a reset connection", { kind: "rst", afterChunks: 2 }, "provider_truncated"],
    ["silence in the middle", { kind: "hang_stream", afterChunks: 2 }, "provider_truncated"],
    ["no terminal event", { kind: "no_terminal_event" }, "provider_truncated"],
    ["no finish reason", { kind: "no_finish_reason" }, "provider_truncated"],
    ["a chunk that is no JSON", { kind: "garbage", afterChunks: 2 }, "provider_malformed"],
    ["JSON that is no completion", { kind: "wrong_json" }, "provider_malformed"],
    [
      "an error inside the stream",
      { kind: "error_in_stream", afterChunks: 2, message: "boom" },
      "provider_unavailable",
    ],
  ];
  it.each(cases)("%s", async (_, fault, code) => {
    expect(failure(await chat({ text, fault }))).toEqual({ code, retryable: true, billed: "unknown" });
  });

  it("a finish reason that says the vendor ran out of machines", async () => {
    const outcome = await chat({ text: "Par", finishReason: "insufficient_system_resource" });
    expect(failure(outcome)).toEqual({ code: "provider_unavailable", retryable: true, billed: "unknown" });
    expect(!outcome.ok && outcome.usage?.completionTokens).toBeGreaterThan(0);
  });

  it("a reply over the limit is aborted and not tried again", async () => {
    const started = performance.now();
    const outcome = await chat({ text, fault: { kind: "huge", bytes: 8 * LIMITS.modelReplyBytes } });
    expect(failure(outcome)).toEqual({ code: "provider_malformed", retryable: false, billed: "unknown" });
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  it("one byte a second ends at the call's deadline", async () => {
    await server.script({ queue: [{ text, fault: { kind: "drip" } }] });
    const signal = AbortSignal.timeout(1_500);
    const outcome = await provider(openai, server.baseUrl, 5_000).chat(request, { signal });
    expect(failure(outcome)).toEqual({ code: "deadline_exceeded", retryable: true, billed: "unknown" });
  });

  it("a call that is cancelled ends at once and is not tried again", async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 100);
    const started = performance.now();
    const outcome = await chat({ text, chunkChars: 1, chunkDelayMs: 50 }, abort.signal);
    expect(failure(outcome)).toEqual({ code: "cancelled", retryable: false, billed: "unknown" });
    expect(performance.now() - started).toBeLessThan(600);
  });
});

describe("an error status", () => {
  const cases: [string, Fault, string, boolean, string][] = [
    ["401", { kind: "status", status: 401, message: `bad key ${KEY}` }, "provider_auth", false, "none"],
    ["403", { kind: "status", status: 403 }, "provider_auth", false, "none"],
    ["402", { kind: "status", status: 402 }, "provider_balance", false, "none"],
    ["429 by a spend cap", { kind: "spend_cap" }, "provider_balance", false, "none"],
    [
      "400",
      { kind: "status", status: 400, message: "temperature is not supported" },
      "provider_rejected",
      false,
      "none",
    ],
    [
      "400 for a long prompt",
      { kind: "status", status: 400, code: "context_length_exceeded" },
      "context_overflow",
      false,
      "none",
    ],
    ["404 for a model", { kind: "status", status: 404, code: "model_not_found" }, "unknown_model", false, "none"],
    ["500", { kind: "status", status: 500 }, "provider_unavailable", true, "unknown"],
    ["503", { kind: "status", status: 503 }, "provider_unavailable", true, "none"],
    ["529", { kind: "status", status: 529 }, "provider_unavailable", true, "none"],
    ["503 whose body never comes", { kind: "hang_error", status: 503 }, "provider_unavailable", true, "none"],
  ];
  it.each(cases)("%s", async (_, fault, code, retryable, billed) => {
    const outcome = await chat({ fault });
    expect(failure(outcome)).toEqual({ code, retryable, billed });
    expect(JSON.stringify(outcome)).not.toContain(KEY);
  });

  it("401 names the variable to set", async () => {
    const outcome = await chat({ fault: { kind: "status", status: 401, message: `bad key ${KEY}` } });
    expect(!outcome.ok && outcome.error.message).toContain("OPENAI_API_KEY");
  });

  it.each(["seconds", "date"] as const)("429 says when to come back, in %s", async (as) => {
    const outcome = await chat({ fault: { kind: "rate_limit", retryAfterSeconds: 7, as } });
    expect(failure(outcome)).toEqual({ code: "provider_rate_limited", retryable: true, billed: "none" });
    expect(!outcome.ok && outcome.error.retryAfterMs).toBe(7_000);
  });
});

describe("a vendor that is not there", () => {
  it("did not bill anything when it refused the connection", async () => {
    const baseUrl = `http://127.0.0.1:${await closedPort()}/v1`;
    const outcome = await provider(openai, baseUrl).chat(request, { signal: AbortSignal.timeout(5_000) });
    expect(failure(outcome)).toEqual({ code: "provider_unavailable", retryable: true, billed: "none" });
  });

  it("may have billed when it took the request and never answered", async () => {
    expect(failure(await chat({ fault: { kind: "hang_headers" } }))).toEqual({
      code: "provider_unavailable",
      retryable: true,
      billed: "unknown",
    });
  });

  it("is not called at all for a call that was cancelled before", async () => {
    const before = (await server.journal()).length;
    const outcome = await provider().chat(request, { signal: AbortSignal.abort() });
    expect(failure(outcome)).toEqual({ code: "cancelled", retryable: false, billed: "none" });
    expect((await server.journal()).length).toBe(before);
  });
});
