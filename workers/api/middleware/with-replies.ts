import type { MiddlewareHandler } from "hono";
import type { AppEnv, Replies } from "../context.ts";

/** Lends the isolate's reply cache to whoever calls models. */
export function withReplies(replies: Replies): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set("replies", replies);
    return next();
  };
}
