import { LIMITS } from "../../limits.ts";
import { embeddingFacts, free, type Vendor } from "../vendor.ts";

/**
 * Ollama: any model that the operator pulled, free of charge.
 *
 * Its window is what a request asks for (`num_ctx`), and memory is taken for all of it when the model is loaded; another
 * window means loading it again. So all requests ask for the same one: `OLLAMA_CONTEXT_TOKENS`.
 */
export const ollama: Vendor = {
  name: "ollama",
  baseUrl: null,
  keyVariables: [],
  baseUrlVariable: "OLLAMA_BASE_URL",
  defaultModel: "qwen3",
  models: {},
  anyModel: {
    contextTokens: LIMITS.ollamaContextTokens,
    maxOutputTokens: LIMITS.ollamaContextTokens / 4,
    capabilities: { tools: true, vision: false, reasoning: true, prefill: false, json: true },
    price: free("ollama"),
  },
  embeddings: {
    dialect: "ollama",
    models: {},
    anyModel: embeddingFacts(LIMITS.ollamaContextTokens, free("ollama")),
  },
};
