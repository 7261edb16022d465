import * as z from "zod";
import type { ChatMessage } from "../../../kernel/llm/chat.ts";
import { definition, functionTool, textContent } from "./chat-body.ts";
import type { Conversation } from "./conversation.ts";

/**
 * The body of `POST /v1/responses`. Conversations are kept by the client: `previous_response_id` and `conversation` name
 * state that this kernel does not hold (an agent does: `agent/{id}`), so they are refused; `store` is taken and means nothing.
 */

const message = z.object({
  type: z.literal("message").optional(),
  role: z.enum(["user", "assistant", "system", "developer"]),
  content: textContent,
});
const functionCall = z.object({
  type: z.literal("function_call"),
  call_id: z.string(),
  name: z.string(),
  arguments: z.string(),
});
const functionOutput = z.object({ type: z.literal("function_call_output"), call_id: z.string(), output: textContent });
/** Reasoning belongs to the vendor that made it; it is not handed to another. */
const reasoning = z.object({ type: z.literal("reasoning") });

const item = z.union([functionCall, functionOutput, reasoning, message], {
  error: "a message, a function_call, a function_call_output, or reasoning",
});
type Item = z.output<typeof item>;

const tool = functionTool.extend({ type: z.literal("function", "function: hosted tools are not served") });

const format = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text") }),
  z.object({ type: z.literal("json_object") }),
  z.object({
    type: z.literal("json_schema"),
    name: z.string(),
    schema: z.record(z.string(), z.unknown()),
    description: z.string().nullish(),
    strict: z.boolean().nullish(),
  }),
]);

const choice = z.union([
  z.enum(["auto", "none", "required"]),
  z.object({ type: z.literal("function"), name: z.string() }),
]);

const STATELESS = "nothing: send the whole conversation as `input`, or talk to `agent/{id}`, which remembers it";

export const responsesBody = z.strictObject({
  model: z.string().min(1).meta({ description: "`provider/model`, or `agent/{id}` to talk to an agent." }),
  input: z.union([z.string(), z.array(item)]),
  instructions: z.string().nullish(),
  stream: z.boolean().nullish(),
  max_output_tokens: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  tools: z.array(tool).nullish(),
  tool_choice: choice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  text: z.looseObject({ format: format.optional(), verbosity: z.string().nullish() }).nullish(),
  reasoning: z.looseObject({ effort: z.string().nullish() }).nullish(),
  previous_response_id: z.null(STATELESS).optional(),
  conversation: z.null(STATELESS).optional(),
  background: z.literal(false, "false: use POST /v1/batches, or an agent").nullish(),
  include: z.unknown().optional(),
  max_tool_calls: z.unknown().optional(),
  metadata: z.unknown().optional(),
  prompt_cache_key: z.string().nullish(),
  safety_identifier: z.unknown().optional(),
  service_tier: z.unknown().optional(),
  store: z.unknown().optional(),
  stream_options: z.unknown().optional(),
  top_logprobs: z.unknown().optional(),
  truncation: z.unknown().optional(),
  user: z.unknown().optional(),
});
export type ResponsesBody = z.output<typeof responsesBody>;

export function conversationOf(body: ResponsesBody): Conversation {
  const instructions: ChatMessage[] = body.instructions ? [{ role: "system", content: body.instructions }] : [];
  const input: Item[] = typeof body.input === "string" ? [{ role: "user", content: body.input }] : body.input;
  return {
    model: body.model,
    messages: [...instructions, ...messagesOf(input)],
    tools: (body.tools ?? []).map(definition),
    maxOutputTokens: body.max_output_tokens ?? undefined,
    temperature: body.temperature ?? undefined,
    passed: passedOf(body),
  };
}

/** Calls that stand next to each other, and the text before them, were one turn of the assistant. */
function messagesOf(items: readonly Item[]): ChatMessage[] {
  const messages: ChatMessage[] = [];
  for (const next of items) {
    if (next.type === "reasoning") continue;
    if (next.type === "function_call") addCall(messages, next);
    else if (next.type === "function_call_output") {
      messages.push({ role: "tool", tool_call_id: next.call_id, content: next.output });
    } else messages.push({ role: next.role === "developer" ? "system" : next.role, content: next.content });
  }
  return messages;
}

function addCall(messages: ChatMessage[], { call_id: id, name, arguments: args }: z.output<typeof functionCall>): void {
  const call = { id, type: "function" as const, function: { name, arguments: args } };
  const last = messages.at(-1);
  if (last?.role === "assistant") last.tool_calls = [...(last.tool_calls ?? []), call];
  else messages.push({ role: "assistant", content: null, tool_calls: [call] });
}

/** The parameters that chat completions know by another name. */
function passedOf(body: ResponsesBody): Record<string, unknown> {
  const { text, tool_choice: chosen, reasoning: thinking } = body;
  const given = {
    top_p: body.top_p,
    parallel_tool_calls: body.parallel_tool_calls,
    prompt_cache_key: body.prompt_cache_key,
    tool_choice:
      typeof chosen === "object" && chosen !== null ? { type: "function", function: { name: chosen.name } } : chosen,
    response_format: text?.format === undefined ? undefined : responseFormat(text.format),
    verbosity: text?.verbosity,
    reasoning_effort: thinking?.effort,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== null));
}

function responseFormat(wanted: z.output<typeof format>): object | undefined {
  if (wanted.type === "text") return undefined;
  if (wanted.type === "json_object") return { type: "json_object" };
  const { type, ...schema } = wanted;
  return { type, json_schema: schema };
}
