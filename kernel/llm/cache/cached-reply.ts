import * as z from "zod";
import type { Hash } from "../../ports.ts";
import { type ChatReply, type ChatRequest, FINISH_REASONS } from "../chat.ts";
import type { EmbeddingReply, EmbeddingRequest } from "../embeddings/embedding.ts";

/** A reply that may be given again, and the key that finds it: what a tenant asked of a model, to the byte. */

export interface CachedReply<Reply> {
  reply: Reply;
  /** What the reply cost when it was made: what giving it again saves. Integer nano-dollars. */
  costNanoUsd: number;
  /** The tenant's purges before it was made. A later purge makes it worthless, in whatever level it stands. */
  epoch: number;
}

const count = z.int().nonnegative();

const usage = z.object({
  promptTokens: count,
  cachedTokens: count,
  cacheWriteTokens: count.exactOptional(),
  completionTokens: count,
  reasoningTokens: count,
  estimated: z.boolean(),
});

/** As it is stored. Read back through this schema, because an older or newer version may have written it. */
function cached<Reply>(reply: z.ZodType<Reply>): z.ZodType<CachedReply<Reply>> {
  return z.object({ reply, costNanoUsd: count, epoch: count });
}

export const cachedChat: z.ZodType<CachedReply<ChatReply>> = cached(
  z.object({
    content: z.string(),
    reasoning: z.string(),
    toolCalls: z.array(
      z.object({
        id: z.string(),
        type: z.literal("function"),
        function: z.object({ name: z.string(), arguments: z.string() }),
      }),
    ),
    finishReason: z.enum(FINISH_REASONS),
    usage,
  }),
);

export const cachedEmbeddings: z.ZodType<CachedReply<EmbeddingReply>> = cached(
  z.object({ vectors: z.array(z.string()), usage }),
);

/** SHA-256 of the canonical request, within one tenant and model. */
export function cacheKey(tenant: string, modelId: string, request: ChatRequest, hash: Hash): string {
  const { messages, tools, maxOutputTokens, temperature, passed } = request;
  return hash.sha256(canonical({ tenant, modelId, messages, tools, maxOutputTokens, temperature, passed }));
}

/** The same for vectors of texts. */
export function embeddingsKey(tenant: string, modelId: string, request: EmbeddingRequest, hash: Hash): string {
  const { input, dimensions } = request;
  return hash.sha256(canonical({ tenant, modelId, input, dimensions }));
}

/** JSON whose object keys stand in order, so that equal values have equal texts. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** A reply that was cut short is not given again: the next try may do better. */
export function isKeepable(reply: ChatReply): boolean {
  return reply.finishReason === "stop" || reply.finishReason === "tool_calls";
}
