import type { MiddlewareHandler } from "hono";
import type { ReplyCache } from "../../../kernel/llm/cache/reply-cache.ts";
import type { AppEnv } from "../context.ts";

/** Lends the isolate's reply cache to whoever calls models. */
export function withReplies(replies: ReplyCache): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set("replies", replies);
    return next();
  };
}
