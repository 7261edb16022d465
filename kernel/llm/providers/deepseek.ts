import type { ModelPrice } from "../provider.ts";
import { usdPerMTok, type Vendor } from "../vendor.ts";

/** DeepSeek. Prices: api-docs.deepseek.com, read November 2026; doubled in the working hours of China. */

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

export const deepseek: Vendor = {
  name: "deepseek",
  baseUrl: "https://api.deepseek.com",
  keyVariables: ["DEEPSEEK_API_KEY"],
  baseUrlVariable: "DEEPSEEK_BASE_URL",
  defaultModel: "deepseek-flash",
  models: {
    "deepseek-flash": { contextTokens: 1_000_000, maxOutputTokens: 384_000, price: price(0.15, 0.003, 0.6) },
    "deepseek-v4-pro": { contextTokens: 1_000_000, maxOutputTokens: 384_000, price: price(0.66, 0.022, 1.98) },
  },
  anyModel: null,
  maxTokensField: "max_tokens",
  /** Keeps the caches of tenants apart. */
  userField: "user_id",
  /** Thinking is on by default; a tool turn without its reasoning is a 400. */
  echoesReasoning: true,
  takesTemperature: () => false,
  extraFields: () => ({}),
  cachedTokensFields: ["prompt_cache_hit_tokens", "prompt_tokens_details.cached_tokens"],
};
