import { KernelBug, type Result } from "../../errors.ts";
import type { Clock, Fetch } from "../../ports.ts";
import { Redactor } from "../../security/redaction.ts";
import { listed } from "../catalogue.ts";
import { type ModelEnv, type ModelVariable, parseEnv } from "../env.ts";
import type { Pass } from "../gate/pass.ts";
import type { ModelPrice } from "../provider.ts";
import { kimi } from "../providers/kimi.ts";
import { openai } from "../providers/openai.ts";
import type { Providers, ServedModel } from "../providers.ts";
import { PoolDriver } from "./pool-driver.ts";
import { VendorBatches } from "./vendor-batches.ts";
import { type BatchTerms, VendorDriver } from "./vendor-driver.ts";

/**
 * Which driver carries a model's requests. OpenAI: half price, 50,000 requests and 200 MB a file (its Batch FAQ and
 * reference). Kimi: 60% of the price, 100 MB, k2.5 and k2.6 (platform.kimi.ai/docs/pricing/batch and api/batch-create). Every
 * other vendor, and an endpoint of the operator that has no such routes, is called by the pool.
 */
const TERMS: readonly BatchTerms[] = [
  { vendor: openai, priceFactor: 0.5, maxRequests: 50_000, maxBytes: 200e6, window: "24h", models: null },
  { vendor: kimi, priceFactor: 0.6, maxRequests: 50_000, maxBytes: 100e6, window: "24h", models: /^kimi-k2\.[56]$/ },
];

export type DriverChoice = ({ kind: "vendor"; driver: VendorDriver } | { kind: "pool"; driver: PoolDriver }) & {
  provider: string;
  /** The vendor's id of the model. */
  model: string;
  /** What this driver's calls cost. */
  price: ModelPrice;
};

export interface BatchPorts {
  fetch: Fetch;
  clock: Clock;
  /** The gate of the account that serves `model` (`provider/model`): calls of the pool pass it. */
  enter(model: string, tokens: number): Promise<Result<Pass>>;
}

export class BatchDrivers {
  readonly #env: ModelEnv;
  readonly #providers: Providers;
  readonly #ports: BatchPorts;

  constructor(env: Readonly<Record<string, string | undefined>>, providers: Providers, ports: BatchPorts) {
    const parsed = parseEnv(env);
    if (!parsed.ok) throw new KernelBug(parsed.error.message);
    this.#env = parsed.value;
    this.#providers = providers;
    this.#ports = ports;
  }

  /** `pooled` names providers whose endpoint turned out to have no batch API. `unknown_model` when nobody serves it. */
  of(model: string, pooled: readonly string[]): Result<DriverChoice> {
    const served = this.#providers.get(model);
    if (!served.ok) return served;
    const terms = pooled.includes(served.value.provider.name) ? undefined : termsOf(served.value);
    return { ok: true, value: terms === undefined ? this.#poolOf(served.value) : this.#vendorOf(served.value, terms) };
  }

  #vendorOf({ provider, model, info }: ServedModel, terms: BatchTerms): DriverChoice {
    const driver = this.#driver(terms);
    return { kind: "vendor", driver, provider: provider.name, model, price: discounted(info.price, terms.priceFactor) };
  }

  #poolOf({ provider, model, info }: ServedModel): DriverChoice {
    const driver = new PoolDriver(provider, (tokens) => this.#ports.enter(info.id, tokens));
    return { kind: "pool", driver, provider: provider.name, model, price: info.price };
  }

  #driver(terms: BatchTerms): VendorDriver {
    const { vendor } = terms;
    const of = (name: string) => {
      const value = this.#env[name as ModelVariable];
      return typeof value === "string" ? value : undefined;
    };
    const apiKey = vendor.keyVariables.map(of).find((key) => key !== undefined) ?? "none";
    const account = {
      name: vendor.name,
      variable: vendor.keyVariables[0] ?? vendor.baseUrlVariable,
      baseUrl: of(vendor.baseUrlVariable) ?? vendor.baseUrl ?? "",
      apiKey,
      redactor: new Redactor([apiKey]),
    };
    return new VendorDriver(terms, account, new VendorBatches(account, this.#ports, terms.window));
  }
}

/** What the model's calls cost through its vendor's Batch API, or null when it has none. */
export function batchPriceOf(served: ServedModel): ModelPrice | null {
  const terms = termsOf(served);
  return terms === undefined ? null : discounted(served.info.price, terms.priceFactor);
}

function termsOf({ provider, model }: ServedModel): BatchTerms | undefined {
  return TERMS.find(({ vendor, models }) => {
    if (vendor.name !== provider.name) return false;
    return models === null || (listed(vendor, model) !== undefined && models.test(model));
  });
}

/** Rounded up where a part of a nano-dollar per million tokens would be left. */
export function discounted(price: ModelPrice, factor: number): ModelPrice {
  const part = (nanoUsd: number) => Math.ceil(Math.round(nanoUsd * factor * 1_000) / 1_000);
  return {
    ...price,
    inputNanoUsdPerMTok: part(price.inputNanoUsdPerMTok),
    cachedInputNanoUsdPerMTok: part(price.cachedInputNanoUsdPerMTok),
    ...(price.cacheWriteNanoUsdPerMTok === undefined
      ? {}
      : { cacheWriteNanoUsdPerMTok: part(price.cacheWriteNanoUsdPerMTok) }),
    outputNanoUsdPerMTok: part(price.outputNanoUsdPerMTok),
    version: `${price.version}-batch-${factor}`,
  };
}
