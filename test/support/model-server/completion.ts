import type { ScriptedReply, ScriptedUsage } from "./script.ts";

/** Scripted replies in the shapes of the wire: whole, or as the chunks of a stream. */

const DEFAULT_CHUNK_CHARS = 16;

export function wholeReply(id: string, model: string, reply: ScriptedReply, usage: Required<ScriptedUsage>): object {
  const calls = toolCalls(id, reply).map(({ index: _, ...call }) => call);
  return {
    id,
    object: "chat.completion",
    created: seconds(),
    model,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: reply.text ?? null,
          ...(reply.reasoning === undefined ? {} : { reasoning_content: reply.reasoning }),
          ...(calls.length === 0 ? {} : { tool_calls: calls }),
        },
        finish_reason: finishReason(reply),
      },
    ],
    ...(reply.usage === null ? {} : { usage: wireUsage(usage) }),
  };
}

/** The chunks before the last ones: reasoning, text in pieces, tool calls with their arguments in two halves. */
export function contentChunks(id: string, model: string, reply: ScriptedReply): object[] {
  const pieces = (text: string): string[] =>
    text.match(new RegExp(`[^]{1,${reply.chunkChars ?? DEFAULT_CHUNK_CHARS}}`, "gu")) ?? [];
  const calls = toolCalls(id, reply).flatMap((call) => {
    const half = Math.ceil(call.function.arguments.length / 2);
    const first = { ...call, function: { ...call.function, arguments: call.function.arguments.slice(0, half) } };
    return [first, { index: call.index, function: { arguments: call.function.arguments.slice(half) } }];
  });
  return [
    { role: "assistant", content: "" },
    ...pieces(reply.reasoning ?? "").map((text) => ({ reasoning_content: text })),
    ...pieces(reply.text ?? "").map((text) => ({ content: text })),
    ...calls.map((call) => ({ tool_calls: [call] })),
  ].map((delta) => chunk(id, model, [{ index: 0, delta, finish_reason: null }]));
}

export function finishChunk(id: string, model: string, reply: ScriptedReply): object {
  return chunk(id, model, [{ index: 0, delta: {}, finish_reason: finishReason(reply) }]);
}

export function usageChunk(id: string, model: string, usage: Required<ScriptedUsage>): object {
  return { ...chunk(id, model, []), usage: wireUsage(usage) };
}

function chunk(id: string, model: string, choices: object[]): object {
  return { id, object: "chat.completion.chunk", created: seconds(), model, choices };
}

function toolCalls(id: string, { toolCalls: calls = [] }: ScriptedReply) {
  return calls.map(({ name, arguments: input }, index) => ({
    index,
    id: `call_${id}_${index}`,
    type: "function",
    function: { name, arguments: typeof input === "string" ? input : JSON.stringify(input) },
  }));
}

function finishReason(reply: ScriptedReply): string {
  return reply.finishReason ?? ((reply.toolCalls ?? []).length > 0 ? "tool_calls" : "stop");
}

function wireUsage(usage: Required<ScriptedUsage>): object {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}

function seconds(): number {
  return Math.floor(Date.now() / 1_000);
}
