import { err, KernelBug, ok, type Result } from "../../errors.ts";
import type { Clock, Fetch } from "../../ports.ts";
import { parseEnv } from "../env.ts";
import type { ModelInfo } from "../provider.ts";
import { accountOf, configuredVendors } from "../providers.ts";
import type { Vendor } from "../vendor.ts";
import { Embedder } from "./embedder.ts";

export interface ServedEmbeddings {
  provider: string;
  embedder: Embedder;
  /** The vendor's id of the model, without the provider. */
  model: string;
  info: ModelInfo;
}

/** The vendors of the environment that make vectors of texts. */
export class Embedders {
  readonly #vendors: readonly Vendor[];
  readonly #drivers: ReadonlyMap<string, Embedder>;

  /** `env` must have passed `parseEnv`: a bad value here is a bug of the shell. */
  constructor(env: Readonly<Record<string, string | undefined>>, ports: { fetch: Fetch; clock: Clock }) {
    const parsed = parseEnv(env);
    if (!parsed.ok) throw new KernelBug(parsed.error.message);
    const { value } = parsed;
    this.#vendors = configuredVendors(value);
    this.#drivers = new Map(
      this.#vendors.flatMap((vendor) => {
        const { name, embeddings } = vendor;
        return embeddings === undefined
          ? []
          : [[name, new Embedder(vendor, embeddings, accountOf(vendor, value, ports))] as const];
      }),
    );
  }

  /** `unknown_model` when nobody makes vectors by `name` (`provider/model`); the message says what to set. */
  get(name: string): Result<ServedEmbeddings> {
    const slash = name.indexOf("/");
    const [provider, model] = slash < 0 ? [name, ""] : [name.slice(0, slash), name.slice(slash + 1)];
    const embedder = this.#drivers.get(provider);
    const info = embedder?.describe(model) ?? null;
    if (embedder !== undefined && info !== null) return ok({ provider, embedder, model, info });
    return err("unknown_model", `Nobody makes embeddings by ${JSON.stringify(name)}. ${this.#advice(provider, name)}`);
  }

  /** The models that the tables know of the configured vendors. */
  list(): ModelInfo[] {
    return this.#vendors.flatMap(({ name, embeddings }) =>
      Object.keys(embeddings?.models ?? {}).flatMap((model) => this.#drivers.get(name)?.describe(model) ?? []),
    );
  }

  #advice(provider: string, name: string): string {
    if (this.#drivers.has(provider)) {
      const models = this.list().map(({ id }) => id);
      return `${provider} serves ${models.join(", ")}; AOS_MODEL_PRICES=${name}=INPUT:0:0 in US dollars per million tokens adds it.`;
    }
    return "Set OPENAI_API_KEY or OPENAI_BASE_URL for openai/..., or OLLAMA_BASE_URL for ollama/..., and name a model of theirs that makes embeddings.";
  }
}
