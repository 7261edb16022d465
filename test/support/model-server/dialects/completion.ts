import type { ScriptedReply, ScriptedUsage } from "../script.ts";
import type { ErrorFacts, Outgoing, Shapes } from "./dialect.ts";

/** The shapes of chat completions: whole, or as the chunks of a stream. What vendors change are the hooks. */

const DEFAULT_CHUNK_CHARS = 16;

export interface CompletionHooks {
  usage(usage: Required<ScriptedUsage>): object;
  /** Where a stream's usage stands: in a chunk of its own, or in the last choice. */
  usageIn: "chunk" | "choice";
  /** Whether a stream tells it without being asked. */
  unasked?: boolean;
}

export function completionShapes({ usage: wireUsage, usageIn, unasked = false }: CompletionHooks): Shapes {
  return {
    contentType: "text/event-stream; charset=utf-8",
    terminal: "data: [DONE]\n\n",
    keepAlive: ": keep-alive\n\n",
    garbage: "data: {this is no JSON\n\n",
    whole: (out) => wholeReply(out, wireUsage),
    pieces: (out) => contentChunks(out).map(event),
    finish: (out, silent) => {
      const { reply, usage, request } = out;
      const asked = unasked || request.stream_options?.include_usage === true;
      const bill = reply.usage === null || !asked ? null : wireUsage(usage);
      const within = bill !== null && usageIn === "choice" ? { usage: bill } : {};
      const last = { index: 0, delta: {}, finish_reason: finishReason(reply), ...within };
      const apart = bill === null || usageIn === "choice" ? "" : event({ ...chunk(out, []), usage: bill });
      return (silent ? "" : event(chunk(out, [last]))) + apart;
    },
    errorPiece: (facts) => event(errorBody(facts)),
    errorBody,
  };
}

/** OpenAI's usage, which the other vendors add to. */
export function openAiUsage(usage: Required<ScriptedUsage>): object {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}

/** `text` in pieces of the scripted length. */
export function piecesOf(text: string, { chunkChars = DEFAULT_CHUNK_CHARS }: ScriptedReply): string[] {
  return text.match(new RegExp(`[^]{1,${chunkChars}}`, "gu")) ?? [];
}

export function finishReason(reply: ScriptedReply): string {
  return reply.finishReason ?? ((reply.toolCalls ?? []).length > 0 ? "tool_calls" : "stop");
}

function errorBody({ message = "It failed", type = "error", code = null }: ErrorFacts): object {
  return { error: { message, type, code, param: null } };
}

function wholeReply(out: Outgoing, wireUsage: CompletionHooks["usage"]): object {
  const { id, request, reply, usage } = out;
  const calls = toolCalls(id, reply).map(({ index: _, ...call }) => call);
  const message = {
    role: "assistant",
    content: reply.text ?? null,
    ...(reply.reasoning === undefined ? {} : { reasoning_content: reply.reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  return {
    id,
    object: "chat.completion",
    created: seconds(),
    model: request.model,
    choices: [{ index: 0, message, finish_reason: finishReason(reply) }],
    ...(reply.usage === null ? {} : { usage: wireUsage(usage) }),
  };
}

/** Reasoning, text in pieces, tool calls with their arguments in two halves. */
function contentChunks(out: Outgoing): object[] {
  const { id, reply } = out;
  const calls = toolCalls(id, reply).flatMap((call) => {
    const half = Math.ceil(call.function.arguments.length / 2);
    const first = { ...call, function: { ...call.function, arguments: call.function.arguments.slice(0, half) } };
    return [first, { index: call.index, function: { arguments: call.function.arguments.slice(half) } }];
  });
  return [
    { role: "assistant", content: "" },
    ...piecesOf(reply.reasoning ?? "", reply).map((text) => ({ reasoning_content: text })),
    ...piecesOf(reply.text ?? "", reply).map((text) => ({ content: text })),
    ...calls.map((call) => ({ tool_calls: [call] })),
  ].map((delta) => chunk(out, [{ index: 0, delta, finish_reason: null }]));
}

function chunk({ id, request }: Outgoing, choices: object[]): object {
  return { id, object: "chat.completion.chunk", created: seconds(), model: request.model, choices };
}

function toolCalls(id: string, { toolCalls: calls = [] }: ScriptedReply) {
  return calls.map(({ name, arguments: input }, index) => ({
    index,
    id: `call_${id}_${index}`,
    type: "function",
    function: { name, arguments: typeof input === "string" ? input : JSON.stringify(input) },
  }));
}

function event(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

function seconds(): number {
  return Math.floor(Date.now() / 1_000);
}
