import type { MiddlewareHandler } from "hono";
import { systemClock } from "../../../durable-objects/ports.ts";
import type { AccessLog } from "../access-log.ts";
import type { Principal } from "../authenticate.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { matchedRoute } from "../matched-route.ts";

/** Logs reads and whatever was refused at the door. What acted stands in the chain of whom it acted on. */
export function accessLogged(log: AccessLog): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const startedAt = systemClock.now();
    await next();
    const { status } = c.res;
    if (!isRead(c) && !REFUSED.includes(status)) return;
    const principal: Principal | undefined = c.get("principal");
    log.note({
      requestId: c.var.requestId,
      keyId: principal?.keyId ?? null,
      tenant: principal?.tenant ?? null,
      route: matchedRoute(c),
      status,
      ms: systemClock.now() - startedAt,
    });
  };
}

const REFUSED = [401, 403, 429];

function isRead(c: AppContext): boolean {
  return c.req.method === "GET" || c.req.method === "HEAD";
}
