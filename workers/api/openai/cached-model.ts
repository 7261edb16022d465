import { ok, type Result } from "../../../kernel/errors.ts";
import { type CachedReply, cacheKey, isKeepable } from "../../../kernel/llm/cache/cached-reply.ts";
import type { ReplyCache, SharedReplies } from "../../../kernel/llm/cache/reply-cache.ts";
import type { ChatReply } from "../../../kernel/llm/chat.ts";
import type { ChatOutcome } from "../../../kernel/llm/provider.ts";
import type { Hash } from "../../../kernel/ports.ts";
import type { CacheHit } from "../../../kernel/scheduler/grant.ts";
import type { Answerer, AnswerHooks } from "./conversation.ts";
import type { Made } from "./metered-call.ts";
import { type MeteredModel, replyOf } from "./metered-model.ts";

export interface CachePorts {
  cache: ReplyCache;
  shared: SharedReplies;
  hash: Hash;
  /** Enters a hit in the ledger; a refusal says that the reply is from before a purge. */
  enter(level: CacheHit["level"], kept: CachedReply): Promise<Result<null>>;
  /** Keeps work going after the reply has left. */
  keep(work: Promise<unknown>): void;
}

/**
 * A metered model that is not asked twice: the same request of the same tenant gets the reply of the first one, from the
 * cache or from the call that is under way. Each hit stands in the ledger with what it saved; one that the ledger refuses is
 * none. Only for requests that allow it.
 */
export class CachedModel implements Answerer {
  readonly #ports: CachePorts;
  readonly #model: MeteredModel;
  readonly #key: string;

  constructor(ports: CachePorts, model: MeteredModel) {
    this.#ports = ports;
    this.#model = model;
    this.#key = cacheKey(model.call.tenant, model.call.served.info.id, model.request, ports.hash);
  }

  async answer(hooks: AnswerHooks): Promise<Result<ChatReply>> {
    const { cache, shared, enter } = this.#ports;
    const kept = await cache.get(this.#key, shared);
    if (kept !== null && (await enter(kept.level, kept.found)).ok) return ok(kept.found.reply);
    if (kept !== null) cache.forget(this.#key);
    const joined = await cache.flights.join(this.#key, hooks.signal);
    if (joined !== null && (await enter("flight", joined)).ok) return ok(joined.reply);
    return this.#ask(hooks);
  }

  async #ask(hooks: AnswerHooks): Promise<Result<ChatReply>> {
    const { cache, shared, keep } = this.#ports;
    const call = (signal: AbortSignal) => this.#model.make({ ...hooks, signal });
    const made = await cache.flights.lead(this.#key, hooks.signal, call, entryOf);
    const entry = entryOf(made);
    if (entry !== null) keep(cache.put(this.#key, entry, shared));
    return made.ok ? replyOf(made.value.outcome) : made;
  }
}

function entryOf(made: Result<Made<ChatOutcome>>): CachedReply | null {
  if (!made.ok || !made.value.outcome.ok) return null;
  const { outcome, costNanoUsd, epoch } = made.value;
  return isKeepable(outcome.reply) ? { reply: outcome.reply, costNanoUsd, epoch } : null;
}
