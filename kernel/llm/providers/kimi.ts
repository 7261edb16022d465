import { type ChatVendor, type ModelFacts, usdPerMTok } from "../vendor.ts";

/** Kimi (Moonshot), the international endpoint in US dollars. Prices: platform.moonshot.ai, read November 2026. */

const VERSION = "kimi-2026-11";

function facts(
  contextTokens: number,
  maxOutputTokens: number,
  input: number,
  cached: number,
  output: number,
): ModelFacts {
  return {
    contextTokens,
    maxOutputTokens,
    capabilities: { tools: true, vision: true, reasoning: true, prefill: true, json: true },
    price: usdPerMTok({ input, cached, output }, VERSION),
  };
}

export const kimi: ChatVendor = {
  name: "kimi",
  baseUrl: "https://api.moonshot.ai/v1",
  keyVariables: ["KIMI_API_KEY", "MOONSHOT_API_KEY"],
  baseUrlVariable: "KIMI_BASE_URL",
  defaultModel: "kimi-k2.6",
  models: {
    "kimi-k3": facts(1_048_576, 131_072, 3, 0.3, 15),
    "kimi-k2.6": facts(262_144, 65_536, 0.95, 0.16, 4),
    "kimi-k2.5": facts(262_144, 65_536, 0.6, 0.1, 3),
  },
  anyModel: null,
  /** The Chinese platform bills in yuan. */
  otherCurrencyHosts: ["api.moonshot.cn"],
  /** `max_tokens` is deprecated, and newer models do not keep to it. */
  maxTokensField: "max_completion_tokens",
  userField: null,
  /** A message that calls tools without its reasoning is a 400, and so is an empty one. */
  reasoningEcho: { on: "tool-calls", missing: " " },
  /** Sampling is fixed, and a `tool_choice` does not go with thinking. */
  refusedFields: ["tool_choice", "top_p", "presence_penalty", "frequency_penalty", "logit_bias", "seed"],
  prefill: { field: "partial", path: "/chat/completions" },
  /** Sampling is fixed on these models: any other value is refused. */
  temperatures: () => null,
  extraFields: () => ({}),
  cachedTokensFields: ["cached_tokens", "prompt_tokens_details.cached_tokens"],
};
