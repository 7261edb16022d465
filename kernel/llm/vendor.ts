import type { ChatRequest } from "./chat.ts";
import type { ModelPrice } from "./provider.ts";

/**
 * What differs between vendors that speak chat completions, as a record. One adapter (`openai-compatible.ts`) serves
 * them all; a vendor is added by adding a record, not a driver.
 */

export interface ModelFacts {
  contextTokens: number;
  maxOutputTokens: number;
  price: ModelPrice;
  /** The same request always gets the same reply. */
  deterministic?: true;
}

export interface Vendor {
  /** The part of a model's name before the slash. */
  readonly name: string;
  /** The vendor's own endpoint, or null when only the operator can name one. */
  readonly baseUrl: string | null;
  /** Variables that configure it, the first of each is the one that messages name. No key variable = it takes no key. */
  readonly keyVariables: readonly string[];
  readonly baseUrlVariable: string;
  readonly defaultModel: string;
  readonly models: Readonly<Record<string, ModelFacts>>;
  /** Facts of models that are not listed; null = they are not served at the vendor's own endpoint. */
  readonly anyModel: ModelFacts | null;
  readonly maxTokensField: "max_tokens" | "max_completion_tokens";
  /** The field that takes `ChatRequest.user`, or null when the vendor has none. */
  readonly userField: "user" | "user_id" | null;
  /** Whether assistant turns with tool calls must carry their reasoning back. */
  readonly echoesReasoning: boolean;
  /** Whether the model takes a temperature. */
  takesTemperature(model: string): boolean;
  /** Further fields of the body. */
  extraFields(request: ChatRequest): Readonly<Record<string, unknown>>;
  /** Where usage names its cached prompt tokens: dotted paths, the first present counts. */
  readonly cachedTokensFields: readonly string[];
}

/** A published price in US dollars per million tokens, as the integers of `ModelPrice`. */
export function usdPerMTok(
  prices: { input: number; cached: number; output: number; cacheWrite?: number },
  version: string,
): ModelPrice {
  const nano = (usd: number): number => Math.round(usd * 1e9);
  return {
    inputNanoUsdPerMTok: nano(prices.input),
    cachedInputNanoUsdPerMTok: nano(prices.cached),
    ...(prices.cacheWrite === undefined ? {} : { cacheWriteNanoUsdPerMTok: nano(prices.cacheWrite) }),
    outputNanoUsdPerMTok: nano(prices.output),
    version,
  };
}

/** The price of what runs on the operator's own machines. */
export function free(version: string): ModelPrice {
  return usdPerMTok({ input: 0, cached: 0, output: 0 }, version);
}
