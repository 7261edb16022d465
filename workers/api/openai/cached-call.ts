import type { KernelError } from "../../../kernel/errors.ts";
import { ok, type Result } from "../../../kernel/errors.ts";
import type { CachedReply } from "../../../kernel/llm/cache/cached-reply.ts";
import type { ReplyCache, SharedReplies } from "../../../kernel/llm/cache/reply-cache.ts";
import type { CacheHit } from "../../../kernel/scheduler/grant.ts";
import type { Made } from "./metered-call.ts";

export interface CachePorts<Reply> {
  cache: ReplyCache<Reply>;
  shared: SharedReplies;
  /** Enters a hit in the ledger; a refusal says that the reply is from before a purge. */
  enter(level: CacheHit["level"], kept: CachedReply<Reply>): Promise<Result<null>>;
  /** Keeps work going after the reply has left. */
  keep(work: Promise<unknown>): void;
}

export type Replied<Reply> = { ok: true; reply: Reply } | { ok: false; error: KernelError };

/** A metered call that may be answered by an earlier one. */
export interface RepeatableCall<Reply> {
  /** Of equal requests equal, and of no others. */
  key: string;
  /** Fails when the call was not made. */
  make(signal: AbortSignal): Promise<Result<Made<Replied<Reply>>>>;
  /** Whether the reply is as good as another one would be. */
  isKeepable(reply: Reply): boolean;
}

/**
 * Nobody is asked twice: the same request of the same tenant gets the reply of the first one, from the cache or from the call
 * that is under way. Each hit stands in the ledger with what it saved; one that the ledger refuses is none. Only for requests
 * that allow it.
 */
export async function cachedCall<Reply>(
  ports: CachePorts<Reply>,
  call: RepeatableCall<Reply>,
  signal: AbortSignal,
): Promise<Result<Reply>> {
  const { cache, shared, enter } = ports;
  const kept = await cache.get(call.key, shared);
  if (kept !== null && (await enter(kept.level, kept.found)).ok) return ok(kept.found.reply);
  if (kept !== null) cache.forget(call.key);
  const joined = await cache.flights.join(call.key, signal);
  if (joined !== null && (await enter("flight", joined)).ok) return ok(joined.reply);
  return asked(ports, call, signal);
}

async function asked<Reply>(
  { cache, shared, keep }: CachePorts<Reply>,
  call: RepeatableCall<Reply>,
  signal: AbortSignal,
): Promise<Result<Reply>> {
  const share = (made: Result<Made<Replied<Reply>>>) => entryOf(made, call);
  const made = await cache.flights.lead(call.key, signal, (joint) => call.make(joint), share);
  const entry = share(made);
  if (entry !== null) keep(cache.put(call.key, entry, shared));
  return made.ok ? replyOf(made.value.outcome) : made;
}

/** A vendor's failure as the kernel's. */
export function replyOf<Reply>(outcome: Replied<Reply>): Result<Reply> {
  return outcome.ok ? ok(outcome.reply) : { ok: false, error: outcome.error };
}

function entryOf<Reply>(
  made: Result<Made<Replied<Reply>>>,
  { isKeepable }: RepeatableCall<Reply>,
): CachedReply<Reply> | null {
  if (!made.ok || !made.value.outcome.ok) return null;
  const { outcome, costNanoUsd, epoch } = made.value;
  return isKeepable(outcome.reply) ? { reply: outcome.reply, costNanoUsd, epoch } : null;
}
