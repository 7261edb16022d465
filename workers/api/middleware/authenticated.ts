import type { MiddlewareHandler } from "hono";
import { authenticate } from "../authenticate.ts";
import type { AppEnv } from "../context.ts";
import type { KeyRing } from "../key-ring.ts";
import { problem } from "../problem.ts";

/** Lets in who has a key, before anything else is looked at, and says who that is. */
export function authenticated(keys: KeyRing): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const principal = await authenticate(c, keys);
    if (!principal.ok) return problem(c, principal.error);
    c.set("principal", principal.value);
    return next();
  };
}
