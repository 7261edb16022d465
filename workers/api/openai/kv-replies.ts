import type { SharedReplies } from "../../../kernel/llm/cache/reply-cache.ts";

const LEAST_TTL_SECONDS = 60;
const NOTHING: SharedReplies = { get: async () => null, put: async () => undefined };

/** Replies in Workers KV, which every isolate everywhere reads. A kernel without the binding has no such level. */
export function kvReplies(namespace: KVNamespace | undefined): SharedReplies {
  if (namespace === undefined) return NOTHING;
  return {
    get: (key) => namespace.get(`reply/${key}`),
    put: (key, text, ttlMs) =>
      namespace.put(`reply/${key}`, text, { expirationTtl: Math.max(LEAST_TTL_SECONDS, Math.floor(ttlMs / 1_000)) }),
  };
}
