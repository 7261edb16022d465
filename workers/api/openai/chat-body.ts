import * as z from "zod";
import { LIMITS } from "../../../kernel/limits.ts";
import type { ChatMessage, ToolDefinition } from "../../../kernel/llm/chat.ts";
import { PASSED_FIELDS } from "../../../kernel/llm/passed-fields.ts";
import type { Conversation } from "./conversation.ts";

/**
 * The body of `POST /v1/chat/completions`, as OpenAI's clients send it. What would change the meaning and is not served is
 * refused by name; what only asks the vendor to keep records (`store`, `metadata`, `user` ...) is taken and not passed on.
 */

const textPart = z.object({ type: z.enum(["text", "input_text", "output_text"]), text: z.string() });
const NO_PARTS = "text, or parts of type `text`; images, audio and files are not taken";

/** Text, or parts of text, which are joined. */
export const textContent = z
  .union([z.string(), z.array(textPart)], { error: NO_PARTS })
  .transform((content) => (typeof content === "string" ? content : content.map(({ text }) => text).join("")));

const toolCall = z.object({
  id: z.string(),
  type: z.literal("function"),
  function: z.object({ name: z.string(), arguments: z.string() }),
});

const message = z.discriminatedUnion("role", [
  z.object({ role: z.enum(["system", "developer"]), content: textContent, name: z.string().optional() }),
  z.object({ role: z.literal("user"), content: textContent, name: z.string().optional() }),
  z.object({
    role: z.literal("assistant"),
    content: textContent.nullish(),
    refusal: z.string().nullish(),
    name: z.string().optional(),
    tool_calls: z.array(toolCall).nullish(),
    reasoning_content: z.string().nullish(),
  }),
  z.object({ role: z.literal("tool"), content: textContent, tool_call_id: z.string() }),
]);

export const functionTool = z.object({
  name: z.string().min(1),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});

const ONE_CHOICE = "1: the kernel bounds the bill of one choice; ask again for another";
const outputTokens = z.int().min(1).nullish();

export const chatBody = z.strictObject({
  model: z.string().min(1).meta({ description: "`provider/model`, or `agent/{id}` to talk to an agent." }),
  models: z.array(z.string().min(1)).max(LIMITS.routedModels).nullish().meta({
    description: "Models of vendors to go to, in their order, when the vendor of `model` cannot take the call.",
  }),
  messages: z.array(message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: outputTokens,
  max_completion_tokens: outputTokens,
  temperature: z.number().min(0).max(2).nullish(),
  tools: z
    .array(
      z.object({
        type: z.literal("function", "function: other kinds of tools are not served"),
        function: functionTool,
      }),
    )
    .nullish(),
  n: z.literal(1, ONE_CHOICE).nullish(),
  logprobs: z.literal(false, "false: log probabilities are not served").nullish(),
  modalities: z.array(z.literal("text", "text")).nullish(),
  ...Object.fromEntries(PASSED_FIELDS.map((name) => [name, z.unknown().optional()])),
  metadata: z.unknown().optional(),
  safety_identifier: z.unknown().optional(),
  service_tier: z.unknown().optional(),
  store: z.unknown().optional(),
  top_logprobs: z.unknown().optional(),
  user: z.unknown().optional(),
});
export type ChatBody = z.output<typeof chatBody>;

export function conversationOf(body: ChatBody): Conversation {
  return {
    model: body.model,
    messages: body.messages.map(kernelMessage),
    tools: (body.tools ?? []).map((tool) => definition(tool.function)),
    maxOutputTokens: body.max_completion_tokens ?? body.max_tokens ?? undefined,
    temperature: body.temperature ?? undefined,
    passed: passedOf(body),
  };
}

export function definition({ name, description, parameters, strict }: z.output<typeof functionTool>): ToolDefinition {
  const described = {
    name,
    description: description ?? "",
    parameters: parameters ?? { type: "object", properties: {} },
  };
  return { type: "function", function: { ...described, ...(strict === true ? { strict } : {}) } };
}

/** The parameters that are handed on; null is how some clients leave one out. */
export function passedOf(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const given = PASSED_FIELDS.map((name) => [name, body[name]] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined && value !== null));
}

function kernelMessage(given: z.output<typeof message>): ChatMessage {
  if (given.role === "tool") return { role: "tool", content: given.content, tool_call_id: given.tool_call_id };
  if (given.role !== "assistant") return { role: given.role === "user" ? "user" : "system", content: given.content };
  const { content, tool_calls: calls, reasoning_content: reasoning } = given;
  return {
    role: "assistant",
    content: content ?? null,
    ...(calls?.length ? { tool_calls: calls } : {}),
    ...(reasoning ? { reasoning_content: reasoning } : {}),
  };
}
