import { usdPerMTok, type Vendor } from "../vendor.ts";

/** Kimi (Moonshot), the international endpoint in US dollars. Prices: platform.moonshot.ai, read November 2026. */

const VERSION = "kimi-2026-11";

function facts(contextTokens: number, maxOutputTokens: number, input: number, cached: number, output: number) {
  return { contextTokens, maxOutputTokens, price: usdPerMTok({ input, cached, output }, VERSION) };
}

export const kimi: Vendor = {
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
  maxTokensField: "max_tokens",
  userField: null,
  echoesReasoning: true,
  /** Sampling is fixed on these models: any other value is refused. */
  takesTemperature: () => false,
  extraFields: () => ({}),
  cachedTokensFields: ["cached_tokens", "prompt_tokens_details.cached_tokens"],
};
