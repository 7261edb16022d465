import type { KernelError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { ModelOffers } from "./model-offers.ts";
import type { ModelInfo, OfferedModel, Provider } from "./provider.ts";

/**
 * The models of one provider, for people who choose: what the vendor's list names now and somebody answers for the price of;
 * where the list did not come, what the table knows.
 */
export interface ModelListing {
  provider: string;
  models: ModelInfo[];
  /** Offered by the vendor and not served here, because their price is unknown: `AOS_MODEL_PRICES` sets it. */
  unpriced: string[];
  /** Why the vendor's own list is not shown; null when it is. */
  error: KernelError | null;
}

/** `table` is what the kernel knows without asking. */
export async function listingOf(provider: Provider, table: ModelInfo[], offers: ModelOffers): Promise<ModelListing> {
  const offered = await offers.of(provider);
  if (!offered.ok) {
    return { provider: provider.name, models: table, unpriced: [], error: offered.error };
  }
  const described = offered.value.map((model) => [model, provider.describe(model.id)] as const);
  return {
    provider: provider.name,
    models: described.flatMap(([model, info]) => (info === null ? [] : [fitted(info, model)])),
    unpriced: described.flatMap(([model, info]) => (info === null ? [model.id] : [])).slice(0, LIMITS.unpricedModels),
    error: null,
  };
}

/** No longer a window than the vendor says the model has. */
function fitted(info: ModelInfo, { contextTokens = info.contextTokens, created }: OfferedModel): ModelInfo {
  const known = { ...info, contextTokens: Math.min(info.contextTokens, contextTokens) };
  return created === undefined ? known : { ...known, created };
}
