import type { ModelPrice } from "../provider.ts";
import { type ChatVendor, type ModelFacts, usdPerMTok } from "../vendor.ts";

/**
 * DeepSeek. Prices: api-docs.deepseek.com, read November 2026; doubled in the working hours of China. A queued request is
 * answered with comment lines until its turn comes.
 */

const VERSION = "deepseek-2026-11";
const PEAK = {
  factor: 2,
  hoursUtc: [
    [1, 4],
    [6, 10],
  ],
} as const;

function price(input: number, cached: number, output: number): ModelPrice {
  return { ...usdPerMTok({ input, cached, output }, VERSION), peak: PEAK };
}

function facts(input: number, cached: number, output: number): ModelFacts {
  return {
    contextTokens: 1_000_000,
    maxOutputTokens: 384_000,
    capabilities: { tools: true, vision: false, reasoning: true, prefill: true, json: true },
    price: price(input, cached, output),
  };
}

export const deepseek: ChatVendor = {
  name: "deepseek",
  baseUrl: "https://api.deepseek.com",
  keyVariables: ["DEEPSEEK_API_KEY"],
  baseUrlVariable: "DEEPSEEK_BASE_URL",
  defaultModel: "deepseek-flash",
  models: {
    "deepseek-flash": facts(0.15, 0.003, 0.6),
    "deepseek-v4-pro": facts(0.66, 0.022, 1.98),
  },
  anyModel: null,
  maxTokensField: "max_tokens",
  /** Keeps the caches of tenants apart. */
  userField: "user_id",
  /** Thinking is on by default; a conversation with tools whose messages lack their reasoning is a 400. */
  reasoningEcho: { on: "always", missing: "" },
  /** While it thinks it refuses any `tool_choice`; sampling it ignores. */
  refusedFields: ["tool_choice"],
  prefill: { field: "prefix", path: "/beta/chat/completions" },
  temperatures: () => null,
  extraFields: () => ({}),
  cachedTokensFields: ["prompt_cache_hit_tokens", "prompt_tokens_details.cached_tokens"],
};
