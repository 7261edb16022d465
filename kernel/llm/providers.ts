import { err, KernelBug, ok, type Result } from "../errors.ts";
import type { Clock, Fetch } from "../ports.ts";
import { type ModelEnv, type ModelVariable, parseEnv } from "./env.ts";
import { OpenAiCompatible } from "./openai-compatible.ts";
import type { ModelInfo, Provider } from "./provider.ts";
import { deepseek } from "./providers/deepseek.ts";
import { kimi } from "./providers/kimi.ts";
import { local } from "./providers/local.ts";
import { ollama } from "./providers/ollama.ts";
import { openai } from "./providers/openai.ts";
import { readerFetch } from "./reader/reader-fetch.ts";
import type { Vendor } from "./vendor.ts";

/**
 * The models that this kernel can call: the vendors that the environment configures, in a fixed order, and `local/reader`,
 * which is always there. Made once per shell, in the one place where ports are made.
 */

const VENDORS: readonly Vendor[] = [openai, deepseek, kimi, ollama];

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
  /** Every listed model of every configured provider. Providers that serve any model list their default. */
  list(): ModelInfo[];
}

/** `env` must have passed `parseEnv`: a bad value here is a bug of the shell. */
export function makeProviders(
  env: Readonly<Record<string, string | undefined>>,
  fetch: Fetch,
  clock: Clock = SYSTEM_CLOCK,
): Providers {
  const parsed = parseEnv(env);
  if (!parsed.ok) throw new KernelBug(parsed.error.message);
  const vendors = [...VENDORS.filter((vendor) => isConfigured(vendor, parsed.value)), local];
  const drivers = new Map(vendors.map((vendor) => [vendor.name, driver(vendor, parsed.value, fetch, clock)]));
  return {
    get: (name) => served(name, drivers),
    defaultModel: parsed.value.AOS_DEFAULT_MODEL ?? defaultOf(vendors[0] ?? local),
    list: () => vendors.flatMap((vendor) => listOf(vendor, drivers.get(vendor.name))),
  };
}

function driver(vendor: Vendor, env: ModelEnv, fetch: Fetch, clock: Clock): Provider {
  if (vendor === local) return new OpenAiCompatible(local, { fetch: readerDoor, clock });
  return new OpenAiCompatible(vendor, { baseUrl: baseUrlOf(vendor, env), apiKey: keyOf(vendor, env), fetch, clock });
}

/** The embedded model is reached like a vendor, but never leaves the isolate. */
const readerDoor: Fetch = (input, init) => readerFetch(new Request(input, init));

function isConfigured(vendor: Vendor, env: ModelEnv): boolean {
  return keyOf(vendor, env) !== undefined || worksKeyless(vendor, env);
}

/** A server that the operator named may want no key. */
function worksKeyless(vendor: Vendor, env: ModelEnv): boolean {
  return (vendor === openai || vendor.keyVariables.length === 0) && baseUrlOf(vendor, env) !== undefined;
}

function keyOf({ keyVariables }: Vendor, env: ModelEnv): string | undefined {
  return keyVariables.map((name) => env[name as ModelVariable]).find((key) => key !== undefined);
}

/** Ollama's root and its `/v1` surface are both taken. */
function baseUrlOf(vendor: Vendor, env: ModelEnv): string | undefined {
  const url = env[vendor.baseUrlVariable as ModelVariable];
  return vendor === ollama && url !== undefined && !url.endsWith("/v1") ? `${url}/v1` : url;
}

function defaultOf(vendor: Vendor): string {
  return `${vendor.name}/${vendor.defaultModel}`;
}

function listOf(vendor: Vendor, provider: Provider | undefined): ModelInfo[] {
  const ids = Object.keys(vendor.models);
  const known = ids.length > 0 ? ids : [vendor.defaultModel];
  return known.map((id) => provider?.describe(id) ?? null).filter((info) => info !== null);
}

function served(name: string, drivers: ReadonlyMap<string, Provider>): Result<ServedModel> {
  const slash = name.indexOf("/");
  const [prefix, model] = slash < 0 ? [name, ""] : [name.slice(0, slash), name.slice(slash + 1)];
  const provider = drivers.get(prefix);
  const info = provider?.describe(model) ?? null;
  if (provider !== undefined && info !== null) return ok({ provider, model, info });
  return err("unknown_model", `Nobody serves ${JSON.stringify(name)}. ${advice(prefix, drivers)}`);
}

function advice(prefix: string, drivers: ReadonlyMap<string, Provider>): string {
  const configured = `Configured: ${[...drivers.keys()].join(", ")}.`;
  const vendor = [...VENDORS, local].find(({ name }) => name === prefix);
  if (vendor === undefined) return `A model is named provider/model. ${configured}`;
  if (!drivers.has(prefix))
    return `Set ${vendor.keyVariables[0] ?? vendor.baseUrlVariable} to use ${prefix}. ${configured}`;
  const models = Object.keys(vendor.models).join(", ");
  return `${prefix} serves ${models}${vendor === openai ? "; set OPENAI_BASE_URL to use another server" : ""}.`;
}
