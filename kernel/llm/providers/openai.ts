import type { Capabilities } from "../provider.ts";
import { type ChatVendor, embeddingFacts, type ModelFacts, usdPerMTok } from "../vendor.ts";

/**
 * OpenAI. Prices: developers.openai.com, read November 2026, standard tier, US dollars per million tokens. Those of vectors:
 * for `text-embedding-3-*` the page of each model under api/docs/models and the price list, read 2026-11-23; that of
 * `text-embedding-ada-002` stood only in price lists of others, of spring 2026. Tokens of the input alone are billed.
 *
 * `gpt-6-astra` and `gpt-6.1-sol` are missing on purpose: they take tools only through the Responses API.
 */

const VERSION = "openai-2026-11";
const LONG_CONTEXT = { aboveTokens: 272_000, inputFactor: 2, outputFactor: 1.5 };

const THINKS: Capabilities = { tools: true, vision: true, reasoning: true, prefill: false, json: true };
const ANSWERS: Capabilities = { ...THINKS, reasoning: false };

/** Million-token models from GPT-5.4 on: whole calls above 272,000 prompt tokens cost more. */
function long(input: number, cached: number, output: number, cacheWrite?: number): ModelFacts {
  const prices = cacheWrite === undefined ? { input, cached, output } : { input, cached, output, cacheWrite };
  return {
    contextTokens: 1_050_000,
    maxOutputTokens: 128_000,
    capabilities: THINKS,
    price: { ...usdPerMTok(prices, VERSION), longContext: LONG_CONTEXT },
  };
}

function flat(
  contextTokens: number,
  maxOutputTokens: number,
  input: number,
  cached: number,
  output: number,
  capabilities = THINKS,
): ModelFacts {
  return { contextTokens, maxOutputTokens, capabilities, price: usdPerMTok({ input, cached, output }, VERSION) };
}

function embedding(input: number): ModelFacts {
  return embeddingFacts(8_192, usdPerMTok({ input, cached: input, output: 0 }, VERSION));
}

/** From GPT-5.4 on, chat completions take function tools only without reasoning, and say so by a 400. */
const TOOLS_WITHOUT_REASONING = /^gpt-(5\.[4-9]|[6-9])/;
const REASONS = /^(gpt-[5-9]|o\d)/;

export const openai: ChatVendor = {
  name: "openai",
  baseUrl: "https://api.openai.com/v1",
  keyVariables: ["OPENAI_API_KEY"],
  baseUrlVariable: "OPENAI_BASE_URL",
  defaultModel: "gpt-6-luna",
  models: {
    "gpt-6.1-terra": long(1, 0.05, 5, 1.25),
    "gpt-6-sol": long(2, 0.2, 10, 2.5),
    "gpt-6-luna": long(0.1, 0.01, 0.5, 0.125),
    "gpt-5.6-sol": long(5, 0.5, 30, 6.25),
    "gpt-5.6-terra": long(2, 0.2, 12, 2.5),
    "gpt-5.6-luna": long(0.2, 0.02, 1.2, 0.25),
    "gpt-5.5": long(5, 0.5, 30),
    "gpt-5.4": long(2.5, 0.25, 15),
    "gpt-5.4-mini": flat(400_000, 128_000, 0.75, 0.075, 4.5),
    "gpt-5.4-nano": flat(400_000, 128_000, 0.2, 0.02, 1.25),
    "gpt-5.2": flat(400_000, 128_000, 1.75, 0.175, 14),
    "gpt-5.1": flat(400_000, 128_000, 1.25, 0.125, 10),
    "gpt-5": flat(400_000, 128_000, 1.25, 0.125, 10),
    "gpt-5-mini": flat(400_000, 128_000, 0.25, 0.025, 2),
    "gpt-5-nano": flat(400_000, 128_000, 0.05, 0.005, 0.4),
    "gpt-4.1": flat(1_047_576, 32_768, 2, 0.5, 8, ANSWERS),
    "gpt-4.1-mini": flat(1_047_576, 32_768, 0.4, 0.1, 1.6, ANSWERS),
    "gpt-4.1-nano": flat(1_047_576, 32_768, 0.1, 0.025, 0.4, ANSWERS),
    "gpt-4o": flat(128_000, 16_384, 2.5, 1.25, 10, ANSWERS),
    "gpt-4o-mini": flat(128_000, 16_384, 0.15, 0.075, 0.6, ANSWERS),
    o3: flat(200_000, 100_000, 2, 0.5, 8),
    "o4-mini": flat(200_000, 100_000, 1.1, 0.275, 4.4),
  },
  anyModel: null,
  embeddings: {
    dialect: "openai",
    models: {
      "text-embedding-3-small": embedding(0.02),
      "text-embedding-3-large": embedding(0.13),
      "text-embedding-ada-002": embedding(0.1),
    },
    anyModel: null,
  },
  maxTokensField: "max_completion_tokens",
  userField: "user",
  reasoningEcho: { on: "never", missing: "" },
  refusedFields: [],
  prefill: null,
  temperatures: (model) => (REASONS.test(model) ? null : [0, 2]),
  extraFields: (model, hasTools) =>
    hasTools && TOOLS_WITHOUT_REASONING.test(model) ? { reasoning_effort: "none" } : {},
  cachedTokensFields: ["prompt_tokens_details.cached_tokens"],
};
