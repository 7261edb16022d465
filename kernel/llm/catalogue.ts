import { LIMITS } from "../limits.ts";
import type { ModelInfo } from "./provider.ts";
import { free, type ModelFacts, type Vendor } from "./vendor.ts";

/**
 * What is known of a model before it is called: window, longest reply, price.
 *
 * An unknown model at a vendor's own endpoint is not served, because its price is unknown and would be billed. At an
 * endpoint that the operator named, any model is served, free of charge: the operator pays for that server otherwise.
 */

/** A dated snapshot (`gpt-5.4-2026-03-05`) costs what its alias costs. */
const SNAPSHOT = /-\d{4}-\d{2}-\d{2}$/;

const OPERATOR_ENDPOINT: ModelFacts = {
  contextTokens: LIMITS.windowTokens,
  maxOutputTokens: LIMITS.windowTokens / 4,
  price: free("operator-endpoint"),
};

/** Null when nobody serves `model`. `operatorEndpoint` says whether the operator overrode the vendor's base URL. */
export function modelInfo(vendor: Vendor, model: string, operatorEndpoint: boolean): ModelInfo | null {
  const facts = listed(vendor, model) ?? vendor.anyModel ?? (operatorEndpoint ? OPERATOR_ENDPOINT : null);
  return facts === null || model === "" ? null : { id: `${vendor.name}/${model}`, ...facts };
}

/** Whether the vendor's own table knows the model. */
export function listed(vendor: Vendor, model: string): ModelFacts | undefined {
  const own = (id: string): ModelFacts | undefined =>
    Object.hasOwn(vendor.models, id) ? vendor.models[id] : undefined;
  return own(model) ?? own(model.replace(SNAPSHOT, ""));
}
