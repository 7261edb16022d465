import OpenAI from "openai";
import { withDeadline } from "../deadline.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Fetch } from "../ports.ts";
import { type ReadBounds, readText } from "./body-reader.ts";
import { listed, modelInfo } from "./catalogue.ts";
import type { ChatRequest, TokenUsage } from "./chat.ts";
import {
  type Account,
  abortFailure,
  bodyFailure,
  type ChatFailure,
  exhausted,
  headersTimeout,
  httpFailure,
  malformed,
  networkFailure,
  streamFailure,
} from "./classify.ts";
import { readEvents } from "./event-stream.ts";
import { holdingBack } from "./holding-back.ts";
import type { ChatHooks, ChatOutcome, ModelInfo, Provider } from "./provider.ts";
import { ReplyAccumulator } from "./reply-accumulator.ts";
import { requestBody } from "./request-body.ts";
import { boundedUsage, reportedUsage } from "./usage.ts";
import type { Vendor } from "./vendor.ts";
import { completion, parseJson, vendorError } from "./wire.ts";

/**
 * The driver for every vendor that speaks chat completions, made from its record of differences.
 *
 * The `openai` package builds and sends the request; the stream is read here, because a reply counts only when its finish
 * reason and the vendor's terminal event both arrived, and a connection that closes in order looks like neither. One
 * call, no retries: the kernel retries, with a bill for each attempt.
 */

const TERMINAL_EVENT = "[DONE]";
const NO_CAPACITY = "insufficient_system_resource";

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
  fetch: Fetch;
  clock: Clock;
  deadlines?: Partial<Deadlines>;
}

export class OpenAiCompatible implements Provider {
  readonly name: string;
  readonly #vendor: Vendor;
  readonly #operatorEndpoint: boolean;
  readonly #client: OpenAI;
  readonly #carefulClient: OpenAI;
  readonly #clock: Clock;
  readonly #account: Account;
  readonly #apiKey: string;
  readonly #deadlines: Deadlines;

  constructor(vendor: Vendor, options: AccountOptions) {
    const baseUrl = options.baseUrl ?? vendor.baseUrl ?? "";
    this.name = vendor.name;
    this.#vendor = vendor;
    this.#operatorEndpoint = baseUrl !== vendor.baseUrl;
    this.#clock = options.clock;
    this.#account = { name: vendor.name, variable: vendor.keyVariables[0] ?? vendor.baseUrlVariable, baseUrl };
    this.#apiKey = options.apiKey ?? "none";
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
    return modelInfo(this.#vendor, model, this.#operatorEndpoint);
  }

  async chat(request: ChatRequest, hooks: ChatHooks): Promise<ChatOutcome> {
    if (hooks.signal.aborted) return abortFailure(hooks.signal, false);
    return withDeadline(this.#deadlines.totalMs, hooks.signal, async (signal) => {
      const client = hooks.careful === true ? this.#carefulClient : this.#client;
      const sent = await this.#send(client, request, signal);
      const outcome = sent.ok ? await this.#receive(sent.response, request, { ...hooks, signal }) : sent;
      return outcome.ok ? outcome : this.#withoutKey(outcome);
    });
  }

  async #send(
    client: OpenAI,
    request: ChatRequest,
    signal: AbortSignal,
  ): Promise<{ ok: true; response: Response } | ChatFailure> {
    const known = listed(this.#vendor, request.model) !== undefined;
    const body = requestBody(request, this.#vendor, known);
    const options = { body, signal, timeout: this.#deadlines.headersMs, maxRetries: 0, stream: true };
    try {
      return { ok: true, response: await client.post("/chat/completions", options).asResponse() };
    } catch (error) {
      return this.#sendFailure(error, signal);
    }
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
    return type.includes("json")
      ? this.#receiveWhole(response, request, hooks, bounds)
      : this.#receiveStream(response, request, hooks, bounds);
  }

  async #receiveStream(
    response: Response,
    request: ChatRequest,
    hooks: ChatHooks,
    bounds: ReadBounds,
  ): Promise<ChatOutcome> {
    const reply = new ReplyAccumulator();
    for await (const item of readEvents(response.body, bounds)) {
      if (item.type === "end") return this.#cut(item.why, reply, hooks.signal);
      if (item.data === TERMINAL_EVENT) return this.#finished(reply, request);
      const failed = this.#take(parseJson(item.data), reply, hooks);
      if (failed !== null) return this.#withUsage(failed, reply);
    }
    return this.#cut("eof", reply, hooks.signal);
  }

  /** Simple servers answer a streaming request with one JSON value. */
  async #receiveWhole(
    response: Response,
    request: ChatRequest,
    hooks: ChatHooks,
    bounds: ReadBounds,
  ): Promise<ChatOutcome> {
    const reply = new ReplyAccumulator();
    const { text, why } = await readText(response.body, bounds);
    if (why !== "eof") return this.#cut(why, reply, hooks.signal);
    return this.#take(parseJson(text), reply, hooks) ?? this.#finished(reply, request);
  }

  /** Takes one JSON value of the vendor; answers what is wrong with it, or null. */
  #take(value: unknown, reply: ReplyAccumulator, hooks: ChatHooks): ChatFailure | null {
    const reported = vendorError(value);
    if (reported !== null) return streamFailure(reported, this.#account);
    const chunk = completion.safeParse(value);
    if (!chunk.success) return malformed("is not the JSON of a chat completion", this.#account);
    const text = reply.add(chunk.data);
    if (text !== "") hooks.onDelta?.(text);
    return null;
  }

  #finished(reply: ReplyAccumulator, request: ChatRequest): ChatOutcome {
    if (reply.finish === null) return this.#withUsage(bodyFailure("eof", this.#account), reply);
    if (reply.finish === NO_CAPACITY) return this.#withUsage(exhausted(this.#account), reply);
    const finish = reply.finishReason();
    if (!finish.ok) return this.#withUsage(malformed(`has a fault: ${finish.problem}`, this.#account), reply);
    const usage = this.#usage(reply) ?? boundedUsage(request, reply.partial);
    return { ok: true, reply: { ...reply.partial, finishReason: finish.reason, usage } };
  }

  #cut(why: Parameters<typeof bodyFailure>[0], reply: ReplyAccumulator, signal: AbortSignal): ChatFailure {
    const failed = why === "aborted" ? abortFailure(signal, true) : bodyFailure(why, this.#account);
    return this.#withUsage(failed, reply);
  }

  #usage(reply: ReplyAccumulator): TokenUsage | null {
    return reply.usage === null ? null : reportedUsage(reply.usage, this.#vendor);
  }

  #withUsage(failed: ChatFailure, reply: ReplyAccumulator): ChatFailure {
    const usage = this.#usage(reply);
    return usage === null ? failed : { ...failed, usage };
  }

  /** Vendors and proxies may repeat the key in what they say. */
  #withoutKey(failed: ChatFailure): ChatFailure {
    const message = failed.error.message.replaceAll(this.#apiKey, "***");
    return this.#apiKey.length < 8 ? failed : { ...failed, error: { ...failed.error, message } };
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
    const signal = init?.signal ?? AbortSignal.timeout(idleMs);
    const { text } = await readText(response.body, { signal, idleMs, maxBytes: LIMITS.modelErrorBytes });
    return new Response(text, { status: response.status, headers: response.headers });
  };
}
