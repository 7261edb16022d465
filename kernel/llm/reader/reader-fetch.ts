import * as z from "zod";
import { estimateTokens, reach } from "../../context/tokens.ts";
import { LIMITS } from "../../limits.ts";
import type { ChatMessage, ToolDefinition } from "../chat.ts";
import { parseJson } from "../wire.ts";
import { type Move, plan } from "./plan.ts";

/**
 * `local/reader` as a server of chat completions, without a network: streaming, tool calls and usage as vendors send
 * them, so that the embedded model takes the same road through the kernel as any other. It is a retrieval reader, not an
 * LLM: deterministic, offline, without weights.
 */

const toolCall = z.object({
  id: z.string(),
  type: z.literal("function"),
  function: z.object({ name: z.string(), arguments: z.string() }),
});
const message = z.discriminatedUnion("role", [
  z.object({ role: z.literal("system"), content: z.string() }),
  z.object({ role: z.literal("user"), content: z.string() }),
  z.object({ role: z.literal("assistant"), content: z.string().nullish(), tool_calls: z.array(toolCall).optional() }),
  z.object({ role: z.literal("tool"), tool_call_id: z.string(), content: z.string() }),
]);
const requestShape = z.object({
  model: z.string(),
  messages: z.array(message).min(1),
  tools: z
    .array(
      z.object({
        type: z.literal("function"),
        function: z.object({
          name: z.string(),
          description: z.string().default(""),
          parameters: z.record(z.string(), z.unknown()).default({}),
        }),
      }),
    )
    .default([]),
  max_tokens: z.int().positive().optional(),
  max_completion_tokens: z.int().positive().optional(),
  stream: z.boolean().default(false),
});
type ReaderRequest = z.output<typeof requestShape>;

/** Answers `POST .../chat/completions`. Errors are OpenAI-shaped: `{error: {message, type, code, param}}`. */
export async function readerFetch(request: Request): Promise<Response> {
  if (request.method !== "POST" || !new URL(request.url).pathname.endsWith("/chat/completions")) {
    return refusal(404, "local/reader serves POST /chat/completions");
  }
  const parsed = requestShape.safeParse(parseJson(await request.text()));
  if (!parsed.success) return refusal(400, z.prettifyError(parsed.error));
  const reply = replyTo(parsed.data);
  return parsed.data.stream ? streamed(reply) : Response.json(whole(reply));
}

interface ReaderReply {
  id: string;
  model: string;
  content: string | null;
  toolCalls: z.output<typeof toolCall>[];
  finishReason: "stop" | "tool_calls" | "length";
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
}

function replyTo(request: ReaderRequest): ReaderReply {
  const move: Move = plan(request.messages as ChatMessage[], request.tools as ToolDefinition[]);
  const id = fingerprint(JSON.stringify([request.messages, request.tools]));
  const limit = request.max_completion_tokens ?? request.max_tokens ?? LIMITS.readerOutputTokens;
  const { text, cut } = "say" in move ? fitting(move.say, limit) : { text: null, cut: false };
  const toolCalls = "calls" in move ? move.calls.map((call, i) => wireCall(call, `call_${id}_${i}`)) : [];
  const prompt = promptTokens(request);
  const completion = estimateTokens(text ?? JSON.stringify(toolCalls));
  return {
    id: `chatcmpl-${id}`,
    model: request.model,
    content: text,
    toolCalls,
    finishReason: toolCalls.length > 0 ? "tool_calls" : cut ? "length" : "stop",
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
  };
}

function wireCall(call: { name: string; arguments: string }, id: string): z.output<typeof toolCall> {
  return { id, type: "function", function: { name: call.name, arguments: call.arguments } };
}

/** What a vendor would count of a message besides its text. */
const MESSAGE_TOKENS = 6;

/** Counted as the kernel itself estimates, so that calibrating by this vendor changes nothing. */
function promptTokens({ messages, tools }: ReaderRequest): number {
  const toolTokens = tools.length === 0 ? 0 : estimateTokens(JSON.stringify(tools));
  return messages.reduce((sum, message) => sum + estimateTokens(textOf(message)) + MESSAGE_TOKENS, toolTokens);
}

function textOf(message: ReaderRequest["messages"][number]): string {
  const calls = message.role === "assistant" ? (message.tool_calls ?? []) : [];
  return (message.content ?? "") + calls.map((call) => call.function.name + call.function.arguments).join("");
}

function fitting(text: string, limit: number): { text: string; cut: boolean } {
  const end = reach(text, 0, limit);
  return { text: text.slice(0, end), cut: end < text.length };
}

/** FNV-1a: the same request gets the same ids, a request with more history gets others. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

function whole({ id, model, content, toolCalls, finishReason, usage }: ReaderReply): object {
  const message = { role: "assistant", content, ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}) };
  const choices = [{ index: 0, message, finish_reason: finishReason }];
  return { id, object: "chat.completion", created: 0, model, choices, usage };
}

function streamed(reply: ReaderReply): Response {
  const events = [...chunks(reply)].map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
  const body = new Blob([...events, "data: [DONE]\n\n"]).stream();
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

function* chunks({ id, model, content, toolCalls, finishReason, usage }: ReaderReply): Generator<object> {
  const chunk = (delta: object, finish: string | null = null): object => ({
    id,
    object: "chat.completion.chunk",
    created: 0,
    model,
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  yield chunk({ role: "assistant" });
  for (const part of parts(content ?? "")) yield chunk({ content: part });
  for (const [index, call] of toolCalls.entries()) yield chunk({ tool_calls: [{ index, ...call }] });
  yield chunk({}, finishReason);
  yield { id, object: "chat.completion.chunk", created: 0, model, choices: [], usage };
}

/** Pieces of whole characters, as a model would stream them. */
function parts(text: string): string[] {
  return text.match(new RegExp(`[^]{1,${LIMITS.readerChunkChars}}`, "gu")) ?? [];
}

function refusal(status: number, message: string): Response {
  const error = { message, type: "invalid_request_error", code: null, param: null };
  return Response.json({ error }, { status });
}
