import type { EmbeddingRequest } from "./embedding.ts";

/** Tokens that vendors add around a text, generously. */
const FRAMING_TOKENS = 4;
const ENCODER = new TextEncoder();

/** No tokenizer in use makes more than one token of a byte, so UTF-8 bytes plus framing bound what the texts count for. */
export function maxInputTokens({ input }: Pick<EmbeddingRequest, "input">): number {
  return input.reduce((sum, text) => sum + ENCODER.encode(text).length + FRAMING_TOKENS, 0);
}
