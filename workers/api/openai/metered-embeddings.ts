import { estimateTokens } from "../../../kernel/context/tokens.ts";
import type { Result } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { maxInputTokens } from "../../../kernel/llm/embeddings/bound.ts";
import type { ServedEmbeddings } from "../../../kernel/llm/embeddings/embedders.ts";
import type { EmbeddingOutcome, EmbeddingRequest } from "../../../kernel/llm/embeddings/embedding.ts";
import type { GrantRequest } from "../../../kernel/scheduler/grant.ts";
import { type Made, type MeterPorts, meteredCall, type Payer } from "./metered-call.ts";

export interface EmbeddingCall extends Payer {
  callId: string;
  served: ServedEmbeddings;
  request: EmbeddingRequest;
}

/** Vectors of texts, made for a key: one call in the ledger, however many texts. Fails when the call was not made. */
export function meteredEmbeddings(
  ports: MeterPorts,
  call: EmbeddingCall,
  signal: AbortSignal,
): Promise<Result<Made<EmbeddingOutcome>>> {
  const { served, request } = call;
  return meteredCall(ports, call, grantOf(call), signal, ({ careful }) =>
    served.embedder.embed(request, { signal, careful }),
  );
}

function grantOf({ callId, served, request }: EmbeddingCall): GrantRequest {
  return {
    callId,
    lane: "interactive",
    provider: served.provider,
    model: served.info.id,
    price: served.info.price,
    inputBound: maxInputTokens(request),
    outputWanted: 0,
    rateTokens: request.input.reduce((sum, text) => sum + estimateTokens(text), 0),
    deadlineMs: LIMITS.modelCallMs,
  };
}
