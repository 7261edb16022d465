import { LIMITS } from "../limits.ts";
import type { Capabilities } from "./provider.ts";
import { type ModelFacts, usdPerMTok } from "./vendor.ts";

/**
 * Prices that the operator sets (`AOS_MODEL_PRICES`), for models and endpoints whose price nobody published to us: a list of
 * `provider/model=input:cached:output`, US dollars per million tokens, separated by commas; a fourth number is the window in
 * tokens. `provider/*` stands for all other models of the provider. What is set here comes before every table.
 */

export type PriceList = ReadonlyMap<string, OperatorFacts>;

/** `contextTokens` is absent where the operator did not say. */
export type OperatorFacts = Pick<ModelFacts, "price"> & { contextTokens?: number };

const NUMBER = String.raw`(\d+(?:\.\d+)?)`;
const ENTRY = new RegExp(String.raw`^([a-z]+/[^\s,=]+)=${NUMBER}:${NUMBER}:${NUMBER}(?::(\d+))?$`);
const VERSION = "AOS_MODEL_PRICES";

/** What is assumed of a model of which only the price is known. */
const ASSUMED: Capabilities = { tools: true, vision: false, reasoning: true, prefill: false, json: false };

/** The list, or null when `text` is none. */
export function parsePrices(text: string): PriceList | null {
  const entries = text.split(",").map((entry) => ENTRY.exec(entry.trim()));
  const parsed = entries.map((found): readonly [string, OperatorFacts] | null => {
    if (found === null) return null;
    const [, model = "", input, cached, output, context] = found;
    const price = usdPerMTok({ input: Number(input), cached: Number(cached), output: Number(output) }, VERSION);
    return [model, { price, ...(context === undefined ? {} : { contextTokens: Number(context) }) }];
  });
  return parsed.includes(null) ? null : new Map(parsed.filter((entry) => entry !== null));
}

/** What the operator says of `provider/model`. */
export function priced(list: PriceList, provider: string, model: string): OperatorFacts | undefined {
  return list.get(`${provider}/${model}`) ?? list.get(`${provider}/*`);
}

/** The facts of a model of which only the price is known. */
export function factsOf({ price, contextTokens = LIMITS.windowTokens }: OperatorFacts): ModelFacts {
  return { contextTokens, maxOutputTokens: Math.floor(contextTokens / 4), capabilities: ASSUMED, price };
}
