import * as z from "zod";
import type { InputIssue } from "../../errors.ts";
import { issuesOf } from "../../input.ts";
import { LIMITS } from "../../limits.ts";
import type { ChatMessage, ToolDefinition } from "../chat.ts";

/**
 * One request of a batch: validated at the edge, before anything is accepted, and stored as it was understood. It is written
 * in the kernel's words (a JSON body) or as a line of OpenAI's batch files (JSON Lines). A field that would not be honoured
 * is refused, not ignored.
 */
export interface BatchRequest {
  customId: string;
  /** `provider/model`. */
  model: string;
  messages: ChatMessage[];
  tools: ToolDefinition[];
  maxOutputTokens: number;
  temperature?: number;
}

const part = z.strictObject({ type: z.literal("text"), text: z.string() });
const text = z.union([z.string(), z.array(part)]);
const toolCall = z.strictObject({
  id: z.string(),
  type: z.literal("function"),
  function: z.strictObject({ name: z.string(), arguments: z.string() }),
});
const message = z.discriminatedUnion("role", [
  z.strictObject({ role: z.enum(["system", "developer"]), content: text }),
  z.strictObject({ role: z.literal("user"), content: text }),
  z.strictObject({
    role: z.literal("assistant"),
    content: text.nullish(),
    tool_calls: z.array(toolCall).optional(),
    reasoning_content: z.string().optional(),
  }),
  z.strictObject({ role: z.literal("tool"), tool_call_id: z.string(), content: text }),
]);
const tool = z.strictObject({
  type: z.literal("function"),
  function: z.strictObject({
    name: z.string().min(1).max(LIMITS.toolNameChars),
    description: z.string().optional(),
    parameters: z.record(z.string(), z.unknown()).optional(),
  }),
});

const customId = z.string().min(1).max(LIMITS.batchCustomIdChars);
const model = z.string().min(1).max(LIMITS.nameChars);
const tokens = z.int().min(1).max(1_000_000).optional();
const chat = {
  model,
  messages: z.array(message).min(1),
  tools: z.array(tool).max(LIMITS.toolsMax).optional(),
  temperature: z.number().min(0).max(2).optional(),
};

/** An element of `requests` in a JSON body. */
export const batchRequest = z.strictObject({ customId, ...chat, maxOutputTokens: tokens });
/** The JSON body of `POST /v1/batches`. */
export const batchBody = z.strictObject({ requests: z.array(batchRequest).min(1).max(LIMITS.batchRequests) });

/** A line in OpenAI's shape. */
const batchLine = z.strictObject({
  custom_id: customId,
  method: z.literal("POST").optional(),
  url: z.literal("/v1/chat/completions").optional(),
  body: z.strictObject({ ...chat, max_tokens: tokens, max_completion_tokens: tokens }),
});

export type ParsedRequest = { ok: true; request: BatchRequest } | { ok: false; issues: InputIssue[] };

export function requestOfLine(line: string): ParsedRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { ok: false, issues: [{ path: "$", message: "The line is not JSON" }] };
  }
  const parsed = batchLine.safeParse(value);
  if (!parsed.success) return { ok: false, issues: issuesOf(parsed.error) };
  const { max_tokens, max_completion_tokens, ...body } = parsed.data.body;
  const maxOutputTokens = max_completion_tokens ?? max_tokens;
  return { ok: true, request: requestOf({ ...body, customId: parsed.data.custom_id, maxOutputTokens }) };
}

export function requestOf(given: z.output<typeof batchRequest>): BatchRequest {
  const { tools = [], temperature, maxOutputTokens = LIMITS.maxOutputTokens } = given;
  return {
    customId: given.customId,
    model: given.model,
    messages: given.messages.map(messageOf),
    tools: tools.map(({ type, function: { name, description = "", parameters = {} } }) => ({
      type,
      function: { name, description, parameters },
    })),
    maxOutputTokens,
    ...(temperature === undefined ? {} : { temperature }),
  };
}

function messageOf(given: z.output<typeof message>): ChatMessage {
  switch (given.role) {
    case "system":
    case "developer":
      return { role: "system", content: textOf(given.content) };
    case "user":
      return { role: "user", content: textOf(given.content) };
    case "tool":
      return { role: "tool", tool_call_id: given.tool_call_id, content: textOf(given.content) };
    case "assistant":
      return {
        role: "assistant",
        content: given.content === null || given.content === undefined ? null : textOf(given.content),
        ...(given.tool_calls === undefined ? {} : { tool_calls: given.tool_calls }),
        ...(given.reasoning_content === undefined ? {} : { reasoning_content: given.reasoning_content }),
      };
  }
}

function textOf(content: z.output<typeof text>): string {
  return typeof content === "string" ? content : content.map((piece) => piece.text).join("");
}
