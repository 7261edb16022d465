import * as z from "zod";
import { LIMITS } from "../../../kernel/limits.ts";
import type { EmbeddingReply } from "../../../kernel/llm/embeddings/embedding.ts";
import { decodeVector } from "../../../kernel/llm/embeddings/vector.ts";

/** The body of `POST /v1/embeddings` and its answer, as OpenAI's clients know them. */

const NO_TOKENS = "a text, or a list of texts, none of them empty; tokens are not taken";
const text = z.string().min(1);

export const embeddingsBody = z.strictObject({
  model: z.string().min(1).meta({ description: "`provider/model`, of a model that makes embeddings." }),
  input: z.union([text, z.array(text).min(1).max(LIMITS.embeddingInputs)], { error: NO_TOKENS }),
  dimensions: z.int().min(1).nullish(),
  encoding_format: z.enum(["float", "base64"]).nullish(),
  user: z.unknown().optional(),
});
export type EmbeddingsBody = z.output<typeof embeddingsBody>;

export function embeddingList({ model, encoding_format: format }: EmbeddingsBody, { vectors, usage }: EmbeddingReply) {
  const data = vectors.map((vector, index) => ({
    object: "embedding" as const,
    index,
    embedding: format === "base64" ? vector : (decodeVector(vector) ?? []),
  }));
  const { promptTokens } = usage;
  return { object: "list" as const, data, model, usage: { prompt_tokens: promptTokens, total_tokens: promptTokens } };
}
