import * as z from "zod";
import { LIMITS } from "../../limits.ts";
import type { ChatMessage, ChatRequest, ToolCall } from "../chat.ts";
import { parseJson } from "../wire.ts";

/**
 * The body of `POST /api/chat`.
 *
 * `truncate` and `shift` are off: a prompt that does not fit the window is an error then, not a shorter prompt. Servers that
 * do not know them cut it in silence, and `ollama-native.ts` finds that by the count. Tool calls have no ids here, so results
 * name their tool; newer servers take the id too.
 */
export function ollamaBody(request: ChatRequest, contextTokens: number): Record<string, unknown> {
  const names = toolNames(request.messages);
  const { passed = {} } = request;
  const tools = passed["tool_choice"] === "none" ? [] : request.tools;
  return {
    model: request.model,
    messages: request.messages.map((message) => wireMessage(message, names)),
    ...(tools.length > 0 ? { tools } : {}),
    stream: true,
    truncate: false,
    shift: false,
    keep_alive: LIMITS.ollamaKeepAliveSeconds,
    ...format(passed["response_format"]),
    options: {
      ...Object.fromEntries(Object.entries(passed).filter(([name]) => OPTIONS.has(name))),
      num_ctx: contextTokens,
      num_predict: request.maxOutputTokens,
      ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
    },
  };
}

/** Parameters that a client may set and that have the same name among Ollama's options. */
const OPTIONS: ReadonlySet<string> = new Set(["frequency_penalty", "presence_penalty", "seed", "stop", "top_p"]);

/** Ollama takes `json`, or a schema as it is. */
function format(wanted: unknown): { format?: unknown } {
  const parsed = responseFormat.safeParse(wanted);
  if (!parsed.success || parsed.data.type === "text") return {};
  return { format: parsed.data.json_schema?.schema ?? "json" };
}

const responseFormat = z.object({
  type: z.enum(["text", "json_object", "json_schema"]),
  json_schema: z.object({ schema: z.record(z.string(), z.unknown()) }).optional(),
});

function toolNames(messages: readonly ChatMessage[]): ReadonlyMap<string, string> {
  const calls = messages.flatMap((message) => (message.role === "assistant" ? (message.tool_calls ?? []) : []));
  return new Map(calls.map(({ id, function: { name } }) => [id, name]));
}

function wireMessage(message: ChatMessage, names: ReadonlyMap<string, string>): Record<string, unknown> {
  switch (message.role) {
    case "system":
    case "user":
      return { ...message };
    case "tool": {
      const { role, content, tool_call_id: id } = message;
      return { role, content, tool_name: names.get(id) ?? "", tool_call_id: id };
    }
    case "assistant": {
      const { role, content, tool_calls: calls = [], reasoning_content: thinking } = message;
      if (calls.length === 0) return { role, content: content ?? "" };
      const kept = thinking === undefined ? {} : { thinking };
      return { role, content: content ?? "", ...kept, tool_calls: calls.map(wireCall) };
    }
  }
}

/** Arguments are a JSON object on this wire; what the model wrote in another shape is kept as text. */
function wireCall({ id, function: { name, arguments: text } }: ToolCall): Record<string, unknown> {
  const value = parseJson(text);
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return { id, function: { name, arguments: isObject ? value : { text } } };
}
