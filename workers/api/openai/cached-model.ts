import type { Result } from "../../../kernel/errors.ts";
import { cacheKey, isKeepable } from "../../../kernel/llm/cache/cached-reply.ts";
import type { ChatReply } from "../../../kernel/llm/chat.ts";
import type { Hash } from "../../../kernel/ports.ts";
import { type CachePorts, cachedCall } from "./cached-call.ts";
import type { Answerer, AnswerHooks } from "./conversation.ts";
import type { MeteredModel } from "./metered-model.ts";

/** A metered model that is not asked twice. */
export class CachedModel implements Answerer {
  readonly #ports: CachePorts<ChatReply>;
  readonly #model: MeteredModel;
  readonly #key: string;

  constructor(ports: CachePorts<ChatReply>, model: MeteredModel, hash: Hash) {
    this.#ports = ports;
    this.#model = model;
    this.#key = cacheKey(model.call.tenant, model.call.served.info.id, model.request, hash);
  }

  answer(hooks: AnswerHooks): Promise<Result<ChatReply>> {
    const make = (signal: AbortSignal) => this.#model.make({ ...hooks, signal });
    return cachedCall(this.#ports, { key: this.#key, make, isKeepable }, hooks.signal);
  }
}
