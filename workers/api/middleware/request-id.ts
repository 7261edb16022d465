import type { MiddlewareHandler } from "hono";
import { systemClock, systemRandom } from "../../../durable-objects/ports.ts";
import { newId } from "../../../kernel/id.ts";
import type { AppEnv } from "../context.ts";

/** Names every request: the caller's own `X-Request-Id` where it is a plain word, else a new one. On every reply. */

const PLAIN = /^[\w.:-]{1,64}$/;

export const requestId: MiddlewareHandler<AppEnv> = async (c, next) => {
  const given = c.req.header("X-Request-Id");
  const id =
    given !== undefined && PLAIN.test(given) ? given : newId("req", { clock: systemClock, random: systemRandom });
  c.set("requestId", id);
  await next();
  c.header("X-Request-Id", id);
};
