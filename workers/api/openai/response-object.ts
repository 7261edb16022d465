import type { KernelError } from "../../../kernel/errors.ts";
import type { ChatReply, TokenUsage } from "../../../kernel/llm/chat.ts";
import type { ResponsesBody } from "./responses-body.ts";

/** A reply in the shape of the Responses API: one object whose `output` holds a message and the calls of tools. */

export interface ResponseHeading {
  /** `resp_` + the call's id in the ledger. */
  id: string;
  /** Seconds since the epoch. */
  created_at: number;
  body: ResponsesBody;
}

export type ResponseStatus = "in_progress" | "completed" | "incomplete" | "failed";

/** The parts of a response that are the same from its first event to its last. */
export function responseOf(
  { id, created_at: createdAt, body }: ResponseHeading,
  status: ResponseStatus,
  reply: ChatReply | null = null,
  error: KernelError | null = null,
) {
  return {
    id,
    object: "response",
    created_at: createdAt,
    status,
    background: false,
    error: error === null ? null : { code: error.code, message: error.message },
    incomplete_details: status === "incomplete" ? { reason: whyIncomplete(reply) } : null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    metadata: body.metadata ?? {},
    model: body.model,
    output: reply === null ? [] : outputOf(id, reply),
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: { effort: body.reasoning?.effort ?? null, summary: null },
    store: false,
    temperature: body.temperature ?? null,
    text: { format: body.text?.format ?? { type: "text" } },
    tool_choice: body.tool_choice ?? "auto",
    tools: body.tools ?? [],
    top_p: body.top_p ?? null,
    truncation: "disabled",
    usage: reply === null ? null : responseUsage(reply.usage),
    user: null,
  };
}

export function statusOf(reply: ChatReply): ResponseStatus {
  return reply.finishReason === "length" || reply.finishReason === "content_filter" ? "incomplete" : "completed";
}

function whyIncomplete(reply: ChatReply | null): string {
  return reply?.finishReason === "content_filter" ? "content_filter" : "max_output_tokens";
}

/** The items of the output, in the order in which a stream announces them: the message if there is text, then the calls. */
export function outputOf(responseId: string, reply: ChatReply) {
  const message = messageItem(responseId, reply.content);
  const calls = reply.toolCalls.map((call, index) => callItem(responseId, index, call));
  return reply.content === "" && calls.length > 0 ? calls : [message, ...calls];
}

export function messageItem(responseId: string, text: string) {
  return {
    id: `msg_${responseId}`,
    type: "message" as const,
    role: "assistant",
    status: "completed",
    content: [textPart(text)],
  };
}

export function textPart(text: string) {
  return { type: "output_text", text, annotations: [], logprobs: [] };
}

function callItem(responseId: string, index: number, call: ChatReply["toolCalls"][number]) {
  const { name, arguments: args } = call.function;
  return {
    id: `fc_${responseId}_${index}`,
    type: "function_call" as const,
    status: "completed",
    call_id: call.id,
    name,
    arguments: args,
  };
}

function responseUsage(usage: TokenUsage) {
  return {
    input_tokens: usage.promptTokens,
    input_tokens_details: { cached_tokens: usage.cachedTokens },
    output_tokens: usage.completionTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.promptTokens + usage.completionTokens,
  };
}
