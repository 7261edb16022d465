import type { TokenUsage } from "../chat.ts";
import type { ChatFailure } from "../classify.ts";

/** Vectors of texts, as the kernel asks vendors for them. */

export interface EmbeddingRequest {
  /** The vendor's model id, without the provider. */
  model: string;
  /** 1 to `LIMITS.embeddingInputs` texts, none of them empty. */
  input: readonly string[];
  /** A shorter vector than the model's own, where it can make one. */
  dimensions?: number | undefined;
}

export interface EmbeddingReply {
  /** One a text, in their order, all of the same length: 32-bit floats, little-endian, in base64. `vector.ts` reads them. */
  vectors: string[];
  usage: TokenUsage;
}

export type EmbeddingOutcome = { ok: true; reply: EmbeddingReply } | ChatFailure;
