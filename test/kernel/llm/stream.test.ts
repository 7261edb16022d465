import { describe, expect, it } from "vitest";
import { OpenAiCompatible } from "../../../kernel/llm/openai-compatible.ts";
import type { ChatOutcome } from "../../../kernel/llm/provider.ts";
import { openai } from "../../../kernel/llm/providers/openai.ts";

/** What arrives on the wire, byte by byte, in the runtime that reads it in production. */

const request = { model: "m", messages: [{ role: "user" as const, content: "hi" }], tools: [], maxOutputTokens: 50 };

/** A reply of exactly these bytes, cut into pieces of `size`. */
function reading(text: string, size: number, type = "text/event-stream"): Promise<ChatOutcome> {
  const bytes = new TextEncoder().encode(text);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });
  const provider = new OpenAiCompatible(openai, {
    baseUrl: "http://models.example/v1",
    fetch: async () => new Response(body, { headers: { "content-type": type } }),
    clock: { now: () => 0 },
  });
  return provider.chat(request, { signal: AbortSignal.timeout(5_000) });
}

function events(...chunks: (object | string)[]): string {
  return chunks.map((chunk) => `data: ${typeof chunk === "string" ? chunk : JSON.stringify(chunk)}\n\n`).join("");
}
const says = (content: string) => ({ choices: [{ index: 0, delta: { content } }] });
const ends = (finish_reason: string) => ({ choices: [{ index: 0, delta: {}, finish_reason }] });
const calls = (...tool_calls: object[]) => ({ choices: [{ index: 0, delta: { tool_calls } }] });

async function reply(text: string) {
  const outcome = await reading(text, 4_096);
  if (!outcome.ok) throw new Error(outcome.error.message);
  return outcome.reply;
}

describe("a stream", () => {
  it.each([1, 2, 3, 7])("means the same in pieces of %i bytes", async (size) => {
    const text = events(says("巴黎"), says(" 🗼"), ends("stop"), "[DONE]");
    const outcome = await reading(text, size);
    expect(outcome.ok && outcome.reply.content).toBe("巴黎 🗼");
  });

  it("may use CRLF, comments and other choices", async () => {
    const other = { choices: [{ index: 1, delta: { content: "no" } }] };
    const text = `: hello\r\n\r\n${events(says("yes"), other, ends("stop"), "[DONE]").replaceAll("\n", "\r\n")}`;
    expect((await reply(text)).content).toBe("yes");
  });

  it("is cut at every byte before its terminal event, and never accepted", async () => {
    const text = events(says("Paris"), ends("stop"), "[DONE]");
    const last = text.lastIndexOf("[DONE]");
    for (let length = 0; length < last + 6; length += 3) {
      const outcome = await reading(text.slice(0, length), 64);
      expect(outcome.ok ? length : outcome.error.code).toBe("provider_truncated");
    }
  });

  it("gives tool calls without an index or an id their place", async () => {
    const text = events(
      calls({ id: "a", function: { name: "f", arguments: '{"x":' } }),
      calls({ function: { arguments: "1}" } }),
      calls({ id: "b", function: { name: "g" } }),
      ends("stop"),
      "[DONE]",
    );
    const { toolCalls, finishReason } = await reply(text);
    expect(finishReason).toBe("tool_calls");
    expect(toolCalls.map(({ id, function: { name, arguments: json } }) => [id, name, json])).toEqual([
      ["a", "f", '{"x":1}'],
      ["b", "g", "{}"],
    ]);
  });

  it("ignores text after the finish reason, and takes usage from there", async () => {
    const usage = { prompt_tokens: 5, completion_tokens: 2 };
    const text = events(says("a"), ends("length"), says("b"), ends("stop"), { choices: [], usage }, "[DONE]");
    const { content, finishReason, usage: counted } = await reply(text);
    expect([content, finishReason, counted.promptTokens, counted.estimated]).toEqual(["a", "length", 5, false]);
  });

  it("bounds usage that makes no sense", async () => {
    const text = events(says("a"), ends("stop"), { choices: [], usage: { prompt_tokens: -1 } }, "[DONE]");
    expect((await reply(text)).usage.estimated).toBe(true);
  });

  it.each([
    ["a finish reason that nobody knows", ends("whatever")],
    ["tool calls that never came", ends("tool_calls")],
    ["a tool call without a name", calls({ index: 0, function: { arguments: "{}" } })],
    ["text that is a number", { choices: [{ delta: { content: 7 } }] }],
  ])("is malformed with %s", async (_, chunk) => {
    const outcome = await reading(events(chunk, ends("stop"), "[DONE]"), 4_096);
    expect(outcome.ok ? "accepted" : outcome.error.code).toBe("provider_malformed");
  });

  it("is read as one value when the server sends JSON, and refused when that is cut", async () => {
    const whole = JSON.stringify({ choices: [{ message: { content: "hi" }, finish_reason: "stop" }] });
    const outcome = await reading(whole, 8, "application/json");
    expect(outcome.ok && outcome.reply.content).toBe("hi");
    const cut = await reading(whole.slice(0, -3), 8, "application/json");
    expect(cut.ok ? "accepted" : cut.error.code).toBe("provider_malformed");
  });
});
