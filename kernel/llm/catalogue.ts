import { LIMITS } from "../limits.ts";
import { factsOf, type PriceList, priced } from "./price-list.ts";
import { isPrivateHost } from "./private-host.ts";
import type { ModelInfo } from "./provider.ts";
import { free, type ModelFacts, type Vendor } from "./vendor.ts";

/**
 * What is known of a model before it is called: window, longest reply, capabilities, price. Without a network.
 *
 * A model is served only at a price that somebody answers for, in this order: the operator's (`AOS_MODEL_PRICES`); the
 * vendor's, as published; nothing, where the model runs on the operator's own machines: Ollama, or a base URL on a private
 * host. An unknown model at a public endpoint is refused, because it would be billed and look free.
 */

/** A dated snapshot (`gpt-5.4-2026-03-05`) costs what its alias costs. */
const SNAPSHOT = /-\d{4}-\d{2}-\d{2}$/;

const OWN_MACHINE: ModelFacts = {
  contextTokens: LIMITS.windowTokens,
  maxOutputTokens: LIMITS.windowTokens / 4,
  capabilities: { tools: true, vision: false, reasoning: false, prefill: false, json: false },
  price: free("operator-endpoint"),
};

/** Where a vendor's models are called, and what the operator says they cost. */
export interface Endpoint {
  vendor: Vendor;
  baseUrl: string;
  prices: PriceList;
}

/** Null when nobody answers for `model`'s price. */
export function modelInfo(endpoint: Endpoint, model: string): ModelInfo | null {
  const { vendor, prices } = endpoint;
  const known = listed(vendor, model) ?? vendor.anyModel;
  const set = priced(prices, vendor.name, model);
  const facts = set === undefined ? unpriced(endpoint, known) : { ...(known ?? factsOf(set)), ...set };
  return facts === null || model === "" ? null : { id: `${vendor.name}/${model}`, ...facts };
}

/** What the vendor's own table says of the model. */
export function listed(vendor: Vendor, model: string): ModelFacts | undefined {
  const own = (id: string): ModelFacts | undefined =>
    Object.hasOwn(vendor.models, id) ? vendor.models[id] : undefined;
  return own(model) ?? own(model.replace(SNAPSHOT, ""));
}

/** Whether the vendor's own table knows the model. */
export function knows(vendor: Vendor, model: string): boolean {
  return listed(vendor, model) !== undefined;
}

/** Whether the vendor bills at this endpoint in a currency that the table does not speak of. */
function billsOtherwise({ vendor, baseUrl }: Endpoint): boolean {
  return (vendor.otherCurrencyHosts ?? []).includes(URL.parse(baseUrl)?.hostname ?? "");
}

/** The facts of a model for which the operator set no price. */
function unpriced(endpoint: Endpoint, known: ModelFacts | null): ModelFacts | null {
  if (known !== null) return billsOtherwise(endpoint) ? null : known;
  const named = endpoint.baseUrl !== endpoint.vendor.baseUrl;
  return named && isPrivateHost(endpoint.baseUrl) ? OWN_MACHINE : null;
}
