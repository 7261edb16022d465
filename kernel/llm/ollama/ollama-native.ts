import { withDeadline } from "../../deadline.ts";
import type { Result } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { Clock, Fetch } from "../../ports.ts";
import { type Endpoint, modelInfo } from "../catalogue.ts";
import type { ChatRequest, TokenUsage } from "../chat.ts";
import { type Account, abortFailure, malformed, promptCut } from "../classify.ts";
import { holdingBack } from "../holding-back.ts";
import type { AccountOptions, Deadlines } from "../openai-compatible.ts";
import { type PostTarget, postJson } from "../post.ts";
import type { ChatHooks, ChatOutcome, ModelInfo, OfferedModel, Provider } from "../provider.ts";
import { ReplyReader } from "../reply-reader.ts";
import { maxPromptTokens } from "../usage.ts";
import type { Vendor } from "../vendor.ts";
import { ollamaBody } from "./ollama-body.ts";
import { ollamaFrames } from "./ollama-frames.ts";
import { pulledModels } from "./pulled-models.ts";

/**
 * The driver for Ollama, by its own protocol: its `/v1` surface cannot say how large the window is to be, and cuts prompts
 * at the server's default without a word.
 *
 * What an older server cuts all the same is found by its own count: a prompt that may exceed the window and has far more
 * bytes than the tokens that were read is `context_overflow`, never a reply.
 */
export class OllamaNative implements Provider {
  readonly name: string;
  readonly #endpoint: Endpoint;
  readonly #fetch: Fetch;
  readonly #clock: Clock;
  readonly #account: Account;
  readonly #deadlines: Deadlines;

  constructor(vendor: Vendor, options: AccountOptions) {
    const baseUrl = (options.baseUrl ?? "").replace(/\/v1$/, "");
    this.name = vendor.name;
    this.#endpoint = { vendor, baseUrl, prices: options.prices ?? new Map() };
    this.#fetch = options.fetch;
    this.#clock = options.clock;
    this.#account = { name: vendor.name, variable: vendor.baseUrlVariable, baseUrl };
    this.#deadlines = {
      headersMs: LIMITS.ollamaHeadersMs,
      idleMs: LIMITS.modelIdleMs,
      totalMs: LIMITS.modelCallMs,
      ...options.deadlines,
    };
  }

  describe(model: string): ModelInfo | null {
    return modelInfo(this.#endpoint, model);
  }

  async chat(request: ChatRequest, hooks: ChatHooks): Promise<ChatOutcome> {
    if (hooks.signal.aborted) return abortFailure(hooks.signal, false);
    return withDeadline(this.#deadlines.totalMs, hooks.signal, async (signal) => {
      const contextTokens = this.#contextTokens(request.model);
      const fetch = hooks.careful === true ? holdingBack(this.#fetch) : this.#fetch;
      const sent = await postJson(this.#target(), ollamaBody(request, contextTokens), fetch, signal);
      if (!sent.ok) return sent;
      const outcome = await this.#receive(sent.response, request, { ...hooks, signal });
      return outcome.ok && wasCut(request, outcome.reply.usage, contextTokens)
        ? promptCut(this.#account, outcome.reply.usage)
        : outcome;
    });
  }

  async offered(signal: AbortSignal): Promise<Result<OfferedModel[]>> {
    return pulledModels(this.#endpoint.baseUrl, this.#fetch, signal);
  }

  #contextTokens(model: string): number {
    return this.describe(model)?.contextTokens ?? LIMITS.ollamaContextTokens;
  }

  #target(): PostTarget {
    const url = `${this.#endpoint.baseUrl}/api/chat`;
    return { url, account: this.#account, deadlines: this.#deadlines, clock: this.#clock };
  }

  async #receive(response: Response, request: ChatRequest, hooks: ChatHooks): Promise<ChatOutcome> {
    if ((response.headers.get("content-type") ?? "").includes("html")) {
      await response.body?.cancel();
      return malformed("is a web page; look at the base URL", this.#account);
    }
    const bounds = { signal: hooks.signal, idleMs: this.#deadlines.idleMs, maxBytes: LIMITS.modelReplyBytes };
    return new ReplyReader(this.#account, request, hooks, countedUsage).read(ollamaFrames(response.body, bounds));
  }
}

/** Ollama's counts; null when it sent none. It serves prefixes from its cache and does not say how much. */
function countedUsage(fields: Record<string, unknown>): TokenUsage | null {
  const { prompt_eval_count: promptTokens, eval_count: completionTokens } = fields;
  if (typeof promptTokens !== "number" || typeof completionTokens !== "number") return null;
  return { promptTokens, cachedTokens: 0, completionTokens, reasoningTokens: 0, estimated: false };
}

function wasCut(request: ChatRequest, usage: TokenUsage, contextTokens: number): boolean {
  const bound = maxPromptTokens(request);
  if (usage.estimated || bound <= contextTokens) return false;
  return bound > usage.promptTokens * LIMITS.ollamaBytesPerToken;
}
