import type { MiddlewareHandler } from "hono";
import { discard } from "../body.ts";
import type { AppEnv } from "../context.ts";

/** Lets a client finish sending before it is answered, also when nobody wanted its body. */
export const wholeBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  await discard(c.req.raw);
};
