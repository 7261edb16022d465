import * as z from "zod";
import { LIMITS } from "../../limits.ts";
import type { EmbeddingRequest } from "./embedding.ts";
import { decodeVector, encodeVector } from "./vector.ts";

/** How a vendor is asked for vectors, and what it answers. */
export interface EmbeddingDialect {
  /** Relative to the base URL. */
  path: string;
  body(request: EmbeddingRequest): object;
  /** The vectors in the order of the texts, and the tokens that the vendor counted; null when the answer is not understood. */
  read(answer: unknown): Answered | null;
}

interface Answered {
  vectors: string[];
  /** Null when it did not say. */
  promptTokens: number | null;
}

const count = z.int().nonnegative();
/** Servers that do not know `encoding_format` answer numbers. */
const vector = z.union([
  z.string().refine((text) => decodeVector(text) !== null),
  z.array(z.number()).min(1).transform(encodeVector),
]);

const openAiAnswer = z.object({
  data: z.array(z.object({ index: count, embedding: vector })),
  usage: z.object({ prompt_tokens: count }).nullish(),
});

/** `POST /embeddings` of OpenAI and of the many servers that speak like it. */
export const openAiEmbeddings: EmbeddingDialect = {
  path: "/embeddings",
  body: ({ model, input, dimensions }) => ({
    model,
    input,
    encoding_format: "base64",
    ...(dimensions === undefined ? {} : { dimensions }),
  }),
  read(answer) {
    const parsed = openAiAnswer.safeParse(answer);
    if (!parsed.success) return null;
    const { data, usage } = parsed.data;
    const sorted = data.toSorted((a, b) => a.index - b.index);
    if (sorted.some(({ index }, position) => index !== position)) return null;
    return { vectors: sorted.map(({ embedding }) => embedding), promptTokens: usage?.prompt_tokens ?? null };
  },
};

const ollamaAnswer = z.object({
  embeddings: z.array(z.array(z.number()).min(1).transform(encodeVector)),
  prompt_eval_count: count.nullish(),
});

/** `POST /api/embed` of Ollama (docs/api.md of ollama/ollama). A text that is too long is refused, not cut in silence. */
export const ollamaEmbeddings: EmbeddingDialect = {
  path: "/api/embed",
  body: ({ model, input, dimensions }) => ({
    model,
    input,
    truncate: false,
    keep_alive: LIMITS.ollamaKeepAliveSeconds,
    ...(dimensions === undefined ? {} : { dimensions }),
  }),
  read(answer) {
    const parsed = ollamaAnswer.safeParse(answer);
    if (!parsed.success) return null;
    const { embeddings, prompt_eval_count: promptTokens } = parsed.data;
    return { vectors: embeddings, promptTokens: promptTokens ?? null };
  },
};
