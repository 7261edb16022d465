import type { ReplyCache } from "../../../kernel/llm/cache/reply-cache.ts";
import type { CacheHit } from "../../../kernel/scheduler/grant.ts";
import { answer, coreObject } from "../../objects.ts";
import type { AppContext } from "../context.ts";
import type { CachePorts } from "./cached-call.ts";
import { kvReplies } from "./kv-replies.ts";
import { payerOf } from "./meter-of.ts";

/** The levels of the cache for one call of this request's key, and the ledger that hits of it are entered in. */
export function cachePortsOf<Reply>(
  c: AppContext,
  cache: ReplyCache<Reply>,
  call: Pick<CacheHit, "callId" | "provider" | "model" | "price">,
): CachePorts<Reply> {
  const { tenant, owner } = payerOf(c);
  const core = coreObject(c.env, tenant);
  return {
    cache,
    shared: kvReplies(c.env.CACHE),
    enter: (level, { costNanoUsd, epoch }) =>
      answer(core.cacheHit(owner, { ...call, level, savedNanoUsd: costNanoUsd, epoch })),
    keep: (work) => c.executionCtx.waitUntil(work),
  };
}
