import { err, KernelBug, ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Fetch } from "../ports.ts";
import { knows } from "./catalogue.ts";
import { type ModelEnv, parseEnv } from "./env.ts";
import { listingOf, type ModelListing } from "./model-listing.ts";
import type { ModelOffers } from "./model-offers.ts";
import { OllamaNative } from "./ollama/ollama-native.ts";
import { type AccountOptions, OpenAiCompatible } from "./openai-compatible.ts";
import type { ModelInfo, Provider } from "./provider.ts";
import { deepseek } from "./providers/deepseek.ts";
import { kimi } from "./providers/kimi.ts";
import { local } from "./providers/local.ts";
import { ollama } from "./providers/ollama.ts";
import { openai } from "./providers/openai.ts";
import { readerFetch } from "./reader/reader-fetch.ts";
import type { ChatVendor, Vendor } from "./vendor.ts";

/**
 * The models that this kernel can call: the vendors that the environment configures, in a fixed order, and `local/reader`,
 * which is always there. Made once per shell, in the one place where ports are made.
 */

/** In the order in which the first configured one is the default. */
const VENDORS: readonly Vendor[] = [openai, deepseek, kimi, ollama];
const CHAT_VENDORS: readonly ChatVendor[] = [openai, deepseek, kimi];

type UrlVariable = "OPENAI_BASE_URL" | "DEEPSEEK_BASE_URL" | "KIMI_BASE_URL" | "OLLAMA_BASE_URL";
type KeyVariable = "OPENAI_API_KEY" | "DEEPSEEK_API_KEY" | "KIMI_API_KEY" | "MOONSHOT_API_KEY";

const SYSTEM_CLOCK: Clock = { now: () => Date.now() };

export interface ServedModel {
  provider: Provider;
  /** The vendor's id of the model, without the provider. */
  model: string;
  info: ModelInfo;
}

export interface Providers {
  /** `unknown_model` when nobody serves `name` (`provider/model`); the message says what to set. Never a network call. */
  get(name: string): Result<ServedModel>;
  /** What an agent without a model of its own uses: `AOS_DEFAULT_MODEL`, else the first configured provider's, else `local/reader`. */
  readonly defaultModel: string;
  /** The models that the tables know of every configured provider; of one that serves any, its default. Never a network call. */
  list(): ModelInfo[];
  /** The models of every configured provider, as the vendors list them now or, where they do not, as the tables know them. */
  listings(offers: ModelOffers): Promise<ModelListing[]>;
}

/** `env` must have passed `parseEnv`: a bad value here is a bug of the shell. */
export function makeProviders(
  env: Readonly<Record<string, string | undefined>>,
  fetch: Fetch,
  clock: Clock = SYSTEM_CLOCK,
): Providers {
  const parsed = parseEnv(env);
  if (!parsed.ok) throw new KernelBug(parsed.error.message);
  const vendors = [...configuredVendors(parsed.value), local];
  const drivers = new Map(vendors.map((vendor) => [vendor.name, driver(vendor, parsed.value, fetch, clock)]));
  return {
    get: (name) => served(name, drivers),
    defaultModel: parsed.value.AOS_DEFAULT_MODEL ?? defaultOf(vendors[0] ?? local),
    list: () => vendors.flatMap((vendor) => tableOf(vendor, driverOf(vendor, drivers))),
    listings: (offers) =>
      Promise.all(
        vendors.map((vendor) => {
          const provider = driverOf(vendor, drivers);
          return listingOf(provider, tableOf(vendor, provider), offers);
        }),
      ),
  };
}

function driver(vendor: Vendor, env: ModelEnv, fetch: Fetch, clock: Clock): Provider {
  if (vendor === local) return new OpenAiCompatible(local, { fetch: readerDoor, clock });
  const options = accountOf(vendor, env, { fetch, clock });
  const chat = CHAT_VENDORS.find(({ name }) => name === vendor.name);
  return chat === undefined
    ? new OllamaNative(withWindow(vendor, env.OLLAMA_CONTEXT_TOKENS), options)
    : new OpenAiCompatible(chat, options);
}

/** The vendors that `env` configures, without what is always there. */
export function configuredVendors(env: ModelEnv): Vendor[] {
  return VENDORS.filter((vendor) => isConfigured(vendor, env));
}

/** The operator's account at `vendor`. */
export function accountOf(vendor: Vendor, env: ModelEnv, ports: { fetch: Fetch; clock: Clock }): AccountOptions {
  return {
    baseUrl: env[vendor.baseUrlVariable as UrlVariable],
    apiKey: keyOf(vendor, env),
    prices: env.AOS_MODEL_PRICES,
    ...ports,
  };
}

/** The window that the operator's machine has memory for. */
function withWindow(vendor: Vendor, contextTokens: number = LIMITS.ollamaContextTokens): Vendor {
  if (vendor.anyModel === null) return vendor;
  return { ...vendor, anyModel: { ...vendor.anyModel, contextTokens, maxOutputTokens: Math.floor(contextTokens / 4) } };
}

/** The embedded model is reached like a vendor, but never leaves the isolate. All that it is asked for by GET is its name. */
const readerDoor: Fetch = async (input, init) => {
  const request = new Request(input, init);
  return request.method === "GET" ? Response.json({ data: [{ id: local.defaultModel }] }) : readerFetch(request);
};

function isConfigured(vendor: Vendor, env: ModelEnv): boolean {
  return keyOf(vendor, env) !== undefined || worksKeyless(vendor, env);
}

/** A server that the operator named may want no key. */
function worksKeyless(vendor: Vendor, env: ModelEnv): boolean {
  return (
    (vendor === openai || vendor.keyVariables.length === 0) && env[vendor.baseUrlVariable as UrlVariable] !== undefined
  );
}

function keyOf({ keyVariables }: Vendor, env: ModelEnv): string | undefined {
  return keyVariables.map((name) => env[name as KeyVariable]).find((key) => key !== undefined);
}

function defaultOf(vendor: Vendor): string {
  return `${vendor.name}/${vendor.defaultModel}`;
}

function driverOf({ name }: Vendor, drivers: ReadonlyMap<string, Provider>): Provider {
  const provider = drivers.get(name);
  if (provider === undefined) throw new KernelBug(`${name} has no driver`);
  return provider;
}

function tableOf(vendor: Vendor, provider: Provider): ModelInfo[] {
  const ids = Object.keys(vendor.models);
  const known = ids.length > 0 ? ids : [vendor.defaultModel];
  return known.map((id) => provider.describe(id)).filter((info) => info !== null);
}

function served(name: string, drivers: ReadonlyMap<string, Provider>): Result<ServedModel> {
  const slash = name.indexOf("/");
  const [prefix, model] = slash < 0 ? [name, ""] : [name.slice(0, slash), name.slice(slash + 1)];
  const provider = drivers.get(prefix);
  const info = provider?.describe(model) ?? null;
  if (provider !== undefined && info !== null) return ok({ provider, model, info });
  const vendor = [...VENDORS, local].find((known) => known.name === prefix);
  if (provider !== undefined && vendor !== undefined && knows(vendor, model)) return unknownPrice(name);
  return err("unknown_model", `Nobody serves ${JSON.stringify(name)}. ${advice(prefix, vendor, drivers)}`);
}

/** The table knows the model, but not what it costs at this endpoint. */
function unknownPrice(name: string): Result<ServedModel> {
  const entry = `AOS_MODEL_PRICES=${name}=INPUT:CACHED:OUTPUT`;
  return err(
    "unknown_price",
    `${JSON.stringify(name)} is billed in another currency there. Set ${entry} in US dollars per million tokens.`,
  );
}

function advice(prefix: string, vendor: Vendor | undefined, drivers: ReadonlyMap<string, Provider>): string {
  const configured = `Configured: ${[...drivers.keys()].join(", ")}.`;
  if (vendor === undefined) return `A model is named provider/model. ${configured}`;
  if (!drivers.has(prefix)) {
    return `Set ${vendor.keyVariables[0] ?? vendor.baseUrlVariable} to use ${prefix}. ${configured}`;
  }
  const models = Object.keys(vendor.models).join(", ");
  return vendor === local
    ? `${prefix} serves ${models}.`
    : `${prefix} serves ${models}, and whatever AOS_MODEL_PRICES names a price for; set ${vendor.baseUrlVariable} to use another server.`;
}
