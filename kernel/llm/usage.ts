import * as z from "zod";
import type { ChatReply, ChatRequest, TokenUsage } from "./chat.ts";
import type { ChatVendor } from "./vendor.ts";

/** Token counts of a call: the vendor's when it sent them, else an upper bound of ours. */

/** Tokens that vendors add around a message, a tool or a whole prompt, generously. */
const FRAMING_TOKENS = 16;

const ENCODER = new TextEncoder();

function bytes(text: string): number {
  return ENCODER.encode(text).length;
}

/** No tokenizer in use makes more than one token of a byte, so UTF-8 bytes plus framing bound a prompt. */
export function maxPromptTokens({
  messages,
  tools,
  prefill,
}: Pick<ChatRequest, "messages" | "tools" | "prefill">): number {
  const items: readonly object[] = [...messages, ...tools, ...(prefill === undefined ? [] : [prefill])];
  return items.reduce((sum: number, item) => sum + bytes(JSON.stringify(item)) + FRAMING_TOKENS, FRAMING_TOKENS);
}

/** What a call used at most, for vendors that did not say. */
export function boundedUsage(
  request: ChatRequest,
  reply: Pick<ChatReply, "content" | "reasoning" | "toolCalls">,
): TokenUsage {
  const written = bytes(reply.content) + bytes(reply.reasoning) + bytes(JSON.stringify(reply.toolCalls));
  return {
    promptTokens: maxPromptTokens(request),
    cachedTokens: 0,
    completionTokens: Math.min(written + FRAMING_TOKENS, request.maxOutputTokens),
    reasoningTokens: 0,
    estimated: true,
  };
}

const count = z.int().nonnegative();

/** The vendor's own numbers, or null when they are missing or make no sense. */
export function reportedUsage(fields: Record<string, unknown>, vendor: ChatVendor): TokenUsage | null {
  const promptTokens = at(fields, "prompt_tokens");
  const completionTokens = at(fields, "completion_tokens");
  if (promptTokens === undefined || completionTokens === undefined) return null;
  const cached = vendor.cachedTokensFields.map((path) => at(fields, path)).find((value) => value !== undefined) ?? 0;
  const written = at(fields, "prompt_tokens_details.cache_write_tokens");
  return {
    promptTokens,
    cachedTokens: Math.min(cached, promptTokens),
    ...(written === undefined ? {} : { cacheWriteTokens: written }),
    completionTokens,
    reasoningTokens: at(fields, "completion_tokens_details.reasoning_tokens") ?? 0,
    estimated: false,
  };
}

/** The count at a dotted path, or undefined. */
function at(fields: Record<string, unknown>, path: string): number | undefined {
  const found = path
    .split(".")
    .reduce<unknown>(
      (value, key) =>
        typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined,
      fields,
    );
  const parsed = count.safeParse(found);
  return parsed.success ? parsed.data : undefined;
}
