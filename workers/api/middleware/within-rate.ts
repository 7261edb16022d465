import type { MiddlewareHandler } from "hono";
import type { Admission } from "../../../durable-objects/core/rpc.ts";
import { err } from "../../../kernel/errors.ts";
import { answer, coreObject } from "../../objects.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { problem } from "../problem.ts";

/**
 * Keeps keys within their rates. The tenant's core counts, because isolates do not know of each other; a key that nobody
 * limits costs no call to it. Every reply to a limited key says where it stands.
 */
export const withinRate: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { keyId, tenant, rate } = c.var.principal;
  if (rate === null) return next();
  const admission = await answer(coreObject(c.env, tenant).admit(keyId, rate.own));
  if (!admission.ok) return problem(c, admission.error);
  if (admission.value === null) return next();
  if (admission.value.admitted) await next();
  else c.res = tooMany(c, admission.value);
  say(c, admission.value);
  return undefined;
};

function tooMany(c: AppContext, { limit, resetMs }: Admission): Response {
  const message = `At most ${limit} requests a minute; try again when the minute is over.`;
  return problem(c, err("rate_limited", message, { retryAfterMs: resetMs }).error);
}

function say(c: AppContext, { limit, remaining, resetMs }: Admission): void {
  c.header("RateLimit-Limit", String(limit));
  c.header("RateLimit-Remaining", String(remaining));
  c.header("RateLimit-Reset", String(Math.ceil(resetMs / 1_000)));
}
