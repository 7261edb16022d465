import OpenAI from "openai";
import { withDeadline } from "../deadline.ts";
import { err, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Fetch } from "../ports.ts";
import { Redactor } from "../security/redaction.ts";
import { readText } from "./body-reader.ts";
import { type Endpoint, knows, modelInfo } from "./catalogue.ts";
import type { ChatRequest } from "./chat.ts";
import {
  type Account,
  abortFailure,
  type ChatFailure,
  headersTimeout,
  httpFailure,
  malformed,
  networkFailure,
  withoutKey,
} from "./classify.ts";
import { completionFrames, wholeCompletion } from "./event-stream.ts";
import { holdingBack } from "./holding-back.ts";
import { offeredModels } from "./offered-models.ts";
import type { PriceList } from "./price-list.ts";
import type { ChatHooks, ChatOutcome, ModelInfo, OfferedModel, Provider } from "./provider.ts";
import { ReplyReader } from "./reply-reader.ts";
import { requestBody } from "./request-body.ts";
import { reportedUsage } from "./usage.ts";
import type { ChatVendor } from "./vendor.ts";

/**
 * The driver for every vendor that speaks chat completions, made from its record of differences.
 *
 * The `openai` package builds and sends the request; the stream is read here (`reply-reader.ts`), because the package takes
 * a connection that closes in order for the end of a reply. One call, no retries: the kernel retries, with a bill for each
 * attempt.
 */

const CHAT = "/chat/completions";

export interface Deadlines {
  /** From sending the request to the headers of the answer. */
  headersMs: number;
  /** Longest silence within the answer. */
  idleMs: number;
  /** The whole call. `ChatHooks.signal` may end it earlier. */
  totalMs: number;
}

export interface AccountOptions {
  /** The vendor's own endpoint when absent. */
  baseUrl?: string | undefined;
  apiKey?: string | undefined;
  /** What the operator says models cost. */
  prices?: PriceList | undefined;
  fetch: Fetch;
  clock: Clock;
  deadlines?: Partial<Deadlines>;
}

export class OpenAiCompatible implements Provider {
  readonly name: string;
  readonly #vendor: ChatVendor;
  readonly #endpoint: Endpoint;
  readonly #client: OpenAI;
  readonly #carefulClient: OpenAI;
  readonly #clock: Clock;
  readonly #account: Account;
  readonly #apiKey: string;
  readonly #deadlines: Deadlines;

  constructor(vendor: ChatVendor, options: AccountOptions) {
    const baseUrl = options.baseUrl ?? vendor.baseUrl ?? "";
    this.name = vendor.name;
    this.#vendor = vendor;
    this.#endpoint = { vendor, baseUrl, prices: options.prices ?? new Map() };
    this.#clock = options.clock;
    const variable = vendor.keyVariables[0] ?? vendor.baseUrlVariable;
    this.#apiKey = options.apiKey ?? "none";
    this.#account = { name: vendor.name, variable, baseUrl, redactor: new Redactor([this.#apiKey]) };
    this.#deadlines = {
      headersMs: LIMITS.modelHeadersMs,
      idleMs: LIMITS.modelIdleMs,
      totalMs: LIMITS.modelCallMs,
      ...options.deadlines,
    };
    const connect = (fetch: Fetch) => clientOf(baseUrl, this.#apiKey, boundedErrors(fetch, this.#deadlines.idleMs));
    this.#client = connect(options.fetch);
    this.#carefulClient = connect(holdingBack(options.fetch));
  }

  describe(model: string): ModelInfo | null {
    return modelInfo(this.#endpoint, model);
  }

  async chat(request: ChatRequest, hooks: ChatHooks): Promise<ChatOutcome> {
    if (hooks.signal.aborted) return abortFailure(hooks.signal, false);
    return withDeadline(this.#deadlines.totalMs, hooks.signal, async (signal) => {
      const client = hooks.careful === true ? this.#carefulClient : this.#client;
      const sent = await this.#send(client, request, signal);
      const outcome = sent.ok ? await this.#receive(sent.response, request, { ...hooks, signal }) : sent;
      return outcome.ok ? outcome : withoutKey(outcome, this.#apiKey);
    });
  }

  async offered(signal: AbortSignal): Promise<Result<OfferedModel[]>> {
    const options = { signal, timeout: LIMITS.modelListMs, maxRetries: 0 };
    try {
      const response = await this.#client.get("/models", options).asResponse();
      return await offeredModels(response, signal);
    } catch (error) {
      const failed = withoutKey(this.#sendFailure(error, signal), this.#apiKey);
      return err(failed.error.code, failed.error.message);
    }
  }

  async #send(
    client: OpenAI,
    request: ChatRequest,
    signal: AbortSignal,
  ): Promise<{ ok: true; response: Response } | ChatFailure> {
    const body = requestBody(request, this.#vendor, knows(this.#vendor, request.model));
    const options = { body, signal, timeout: this.#deadlines.headersMs, maxRetries: 0, stream: true };
    try {
      return { ok: true, response: await client.post(this.#path(request), options).asResponse() };
    } catch (error) {
      return this.#sendFailure(error, signal);
    }
  }

  /** Relative to the base URL, or a whole URL where that ends in a version that the path does not live under. */
  #path({ prefill }: ChatRequest): string {
    const { baseUrl } = this.#endpoint;
    const path = prefill === undefined ? CHAT : (this.#vendor.prefill?.path ?? CHAT);
    return path === CHAT ? path : baseUrl.replace(/\/v1$/, "") + path;
  }

  #sendFailure(error: unknown, signal: AbortSignal): ChatFailure {
    if (signal.aborted) return abortFailure(signal, true);
    if (error instanceof OpenAI.APIConnectionTimeoutError) {
      return headersTimeout(this.#account, this.#deadlines.headersMs);
    }
    if (error instanceof OpenAI.APIError && typeof error.status === "number") {
      const answer = { status: error.status, headers: error.headers, body: { error: error.error ?? error.message } };
      return httpFailure(answer, this.#account, this.#clock.now());
    }
    return networkFailure(error, this.#account);
  }

  async #receive(response: Response, request: ChatRequest, hooks: ChatHooks): Promise<ChatOutcome> {
    const bounds = { signal: hooks.signal, idleMs: this.#deadlines.idleMs, maxBytes: LIMITS.modelReplyBytes };
    const type = response.headers.get("content-type") ?? "";
    if (type.includes("html")) {
      await response.body?.cancel();
      return malformed("is a web page; look at the base URL", this.#account);
    }
    const reader = new ReplyReader(this.#account, request, hooks, (fields) => reportedUsage(fields, this.#vendor));
    const frames = type.includes("json") ? wholeCompletion : completionFrames;
    return reader.read(frames(response.body, bounds));
  }
}

/** Everything that the package would otherwise take from the process's environment is given. */
function clientOf(baseURL: string, apiKey: string, fetch: Fetch): OpenAI {
  return new OpenAI({
    baseURL,
    apiKey,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    logLevel: "off",
    fetch,
  });
}

/** The package reads the bodies of errors to their end, however long they take; this reads them first, within bounds. */
function boundedErrors(fetch: Fetch, idleMs: number): Fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (response.ok) return response;
    const signal = init?.signal ?? new AbortController().signal;
    const { text } = await readText(response.body, { signal, idleMs, maxBytes: LIMITS.modelErrorBytes });
    return new Response(text, { status: response.status, headers: response.headers });
  };
}
