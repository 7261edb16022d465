import { withDeadline } from "../../deadline.ts";
import { LIMITS } from "../../limits.ts";
import type { Clock, Fetch } from "../../ports.ts";
import { Redactor } from "../../security/redaction.ts";
import { readText } from "../body-reader.ts";
import { type Endpoint, modelInfo } from "../catalogue.ts";
import { type Account, abortFailure, bodyFailure, malformed, withoutKey } from "../classify.ts";
import { holdingBack } from "../holding-back.ts";
import type { AccountOptions, Deadlines } from "../openai-compatible.ts";
import { type PostTarget, postJson } from "../post.ts";
import type { ChatHooks, ModelInfo } from "../provider.ts";
import type { EmbeddingRule, Vendor } from "../vendor.ts";
import { parseJson } from "../wire.ts";
import { maxInputTokens } from "./bound.ts";
import { type EmbeddingDialect, ollamaEmbeddings, openAiEmbeddings } from "./dialects.ts";
import type { EmbeddingOutcome, EmbeddingRequest } from "./embedding.ts";

const DIALECTS: Record<EmbeddingRule["dialect"], EmbeddingDialect> = {
  openai: openAiEmbeddings,
  ollama: ollamaEmbeddings,
};

/** The driver for vectors at one vendor's account. One call, no retries, and every way to fail is judged by `classify.ts`. */
export class Embedder {
  readonly #dialect: EmbeddingDialect;
  readonly #endpoint: Endpoint;
  readonly #fetch: Fetch;
  readonly #clock: Clock;
  readonly #account: Account;
  readonly #apiKey: string | undefined;
  readonly #deadlines: Deadlines;

  constructor(vendor: Vendor, rule: EmbeddingRule, options: AccountOptions) {
    const given = options.baseUrl ?? vendor.baseUrl ?? "";
    const baseUrl = rule.dialect === "ollama" ? given.replace(/\/v1$/, "") : given;
    this.#dialect = DIALECTS[rule.dialect];
    const { models, anyModel } = rule;
    this.#endpoint = { vendor: { ...vendor, models, anyModel }, baseUrl, prices: options.prices ?? new Map() };
    this.#fetch = options.fetch;
    this.#clock = options.clock;
    const variable = vendor.keyVariables[0] ?? vendor.baseUrlVariable;
    this.#account = { name: vendor.name, variable, baseUrl, redactor: new Redactor([options.apiKey ?? ""]) };
    this.#apiKey = options.apiKey;
    const headersMs = rule.dialect === "ollama" ? LIMITS.ollamaHeadersMs : LIMITS.modelHeadersMs;
    this.#deadlines = {
      headersMs,
      idleMs: LIMITS.modelIdleMs,
      totalMs: LIMITS.modelCallMs,
      ...options.deadlines,
    };
  }

  /** Null when nobody answers for the price of the model's vectors. Never a network call. */
  describe(model: string): ModelInfo | null {
    return modelInfo(this.#endpoint, model);
  }

  /** Never throws for what a vendor or a network can do. */
  async embed(request: EmbeddingRequest, hooks: Pick<ChatHooks, "signal" | "careful">): Promise<EmbeddingOutcome> {
    if (hooks.signal.aborted) return abortFailure(hooks.signal, false);
    return withDeadline(this.#deadlines.totalMs, hooks.signal, async (signal) => {
      const fetch = hooks.careful === true ? holdingBack(this.#fetch) : this.#fetch;
      const sent = await postJson(this.#target(), this.#dialect.body(request), fetch, signal);
      const outcome = sent.ok ? await this.#receive(sent.response, request, signal) : sent;
      return outcome.ok ? outcome : withoutKey(outcome, this.#apiKey ?? "");
    });
  }

  #target(): PostTarget {
    const url = `${this.#endpoint.baseUrl}${this.#dialect.path}`;
    return { url, account: this.#account, apiKey: this.#apiKey, deadlines: this.#deadlines, clock: this.#clock };
  }

  async #receive(response: Response, request: EmbeddingRequest, signal: AbortSignal): Promise<EmbeddingOutcome> {
    const maxBytes = LIMITS.embeddingReplyBytes;
    const { text, why } = await readText(response.body, { signal, idleMs: this.#deadlines.idleMs, maxBytes });
    if (why === "too_large") return malformed(`is larger than ${maxBytes} bytes`, this.#account, false);
    if (why === "aborted") return abortFailure(signal, true);
    if (why !== "eof") return bodyFailure(why, this.#account);
    const value = parseJson(text);
    // What ends in order in the middle of its JSON was cut.
    if (value === undefined) return bodyFailure("eof", this.#account);
    const answered = this.#dialect.read(value);
    if (answered === null || !fits(answered.vectors, request)) {
      return malformed(`is not ${request.input.length} vectors of one length`, this.#account);
    }
    const { vectors, promptTokens } = answered;
    const counts = { cachedTokens: 0, completionTokens: 0, reasoningTokens: 0, estimated: promptTokens === null };
    return {
      ok: true,
      reply: { vectors, usage: { promptTokens: promptTokens ?? maxInputTokens(request), ...counts } },
    };
  }
}

function fits(vectors: readonly string[], { input }: EmbeddingRequest): boolean {
  return vectors.length === input.length && vectors.every(({ length }) => length === vectors[0]?.length);
}
