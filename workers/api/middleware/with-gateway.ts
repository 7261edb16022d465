import type { MiddlewareHandler } from "hono";
import { GatePasses } from "../../../durable-objects/gate-passes.ts";
import type { AppEnv } from "../context.ts";

/** Lends the isolate's slices of vendor accounts to whoever calls models. Made with the first request: no other moment has an environment. */
export function withGateway(): MiddlewareHandler<AppEnv> {
  let passes: GatePasses | undefined;
  return async (c, next) => {
    passes ??= new GatePasses(c.env, "front");
    c.set("gateway", passes);
    return next();
  };
}
