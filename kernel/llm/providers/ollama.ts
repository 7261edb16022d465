import { free, type Vendor } from "../vendor.ts";

/**
 * Ollama, by its `/v1` surface: any model that the operator pulled, free of charge.
 *
 * That surface cannot set the context length and silently cuts prompts at the server's default, 4,096 tokens on small
 * GPUs, so no more than that is promised here: a prompt that does not fit is refused before it is sent.
 */

export const ollama: Vendor = {
  name: "ollama",
  baseUrl: null,
  keyVariables: [],
  baseUrlVariable: "OLLAMA_BASE_URL",
  defaultModel: "qwen3",
  models: {},
  anyModel: { contextTokens: 4_096, maxOutputTokens: 2_048, price: free("ollama") },
  maxTokensField: "max_tokens",
  userField: null,
  echoesReasoning: false,
  takesTemperature: () => true,
  extraFields: () => ({}),
  cachedTokensFields: [],
};
