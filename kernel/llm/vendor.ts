import type { Capabilities, ModelPrice } from "./provider.ts";

/**
 * What differs between vendors, as a record. One adapter (`openai-compatible.ts`) serves all that speak chat completions;
 * such a vendor is added by adding a record, not a driver. `ollama-native.ts` speaks Ollama's own protocol.
 */

export interface ModelFacts {
  contextTokens: number;
  maxOutputTokens: number;
  capabilities: Capabilities;
  price: ModelPrice;
  /** The same request always gets the same reply. */
  deterministic?: true;
}

/** What the catalogue and the configuration need to know of any vendor. */
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
  /** Facts of models that are not listed; null = they need a price that the operator sets. */
  readonly anyModel: ModelFacts | null;
  /** Absent = it makes no vectors of texts. */
  readonly embeddings?: EmbeddingRule;
  /** Hosts of the vendor's that bill in another currency: the table's prices do not hold there. */
  readonly otherCurrencyHosts?: readonly string[];
}

/** How a vendor makes vectors of texts. Its models write nothing: their longest reply is 0 tokens. */
export interface EmbeddingRule {
  dialect: "openai" | "ollama";
  models: Readonly<Record<string, ModelFacts>>;
  /** Facts of models that are not listed; null = they need a price that the operator sets. */
  anyModel: ModelFacts | null;
}

/** How assistant messages of earlier turns carry their reasoning back. */
export interface ReasoningEcho {
  /** `never` = the vendor ignores or refuses it; `tool-calls` = only messages that call tools; `always` = every one. */
  on: "never" | "tool-calls" | "always";
  /** What stands for reasoning that was not kept, or came from another model: vendors that want the field refuse its absence. */
  missing: string;
}

/** How a reply is begun for the model, so that it goes on from there. */
export interface PrefillRule {
  /** The field of the last assistant message that asks for it. */
  field: "partial" | "prefix";
  /** Path under the base URL where the vendor takes it. */
  path: string;
}

/** A vendor that speaks chat completions. */
export interface ChatVendor extends Vendor {
  readonly maxTokensField: "max_tokens" | "max_completion_tokens";
  /** The field that takes `ChatRequest.user`, or null when the vendor has none. */
  readonly userField: "user" | "user_id" | null;
  readonly reasoningEcho: ReasoningEcho;
  /** Of the parameters that a client may set (passed-fields.ts) those that the vendor refuses: they are left out. */
  readonly refusedFields: readonly string[];
  /** Null when a reply cannot be begun for the model. */
  readonly prefill: PrefillRule | null;
  /** The temperatures that the model takes, or null when it takes none. A request's is moved into them. */
  temperatures(model: string): readonly [least: number, most: number] | null;
  /** Further fields of the body. */
  extraFields(model: string, hasTools: boolean): Readonly<Record<string, unknown>>;
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

/** A model that makes vectors of texts of so many tokens at most. */
export function embeddingFacts(contextTokens: number, price: ModelPrice): ModelFacts {
  const capabilities = { tools: false, vision: false, reasoning: false, prefill: false, json: false };
  return { contextTokens, maxOutputTokens: 0, capabilities, price };
}

/** The price of what runs on the operator's own machines. */
export function free(version: string): ModelPrice {
  return usdPerMTok({ input: 0, cached: 0, output: 0 }, version);
}
