import { actorOf, bearerOf } from "../authenticate.ts";
import type { AppContext } from "../context.ts";
import { matchedRoute } from "../matched-route.ts";

/** A request that creates, as D1 tells it from others: an idempotency key is its caller's own, for one route and tenant. */
export interface Attempt {
  scope: string;
  /** Null = the request may create every time. */
  idempotencyKey: string | null;
  body: string;
  /** The caller's own key, under which the first answer is encrypted. */
  secret: string;
}

export function attemptOf(c: AppContext, body: object, idempotencyKey: string | undefined): Attempt {
  const { principal } = c.var;
  return {
    scope: `${matchedRoute(c)} ${actorOf(principal)} ${principal.tenant}`,
    idempotencyKey: idempotencyKey ?? null,
    body: JSON.stringify(body),
    secret: bearerOf(c) ?? "",
  };
}
