import type { Hono, NotFoundHandler } from "hono";
import { METHOD_NAME_ALL } from "hono/router";
import type { AppContext, AppEnv } from "../context.ts";
import { refuse } from "../problem.ts";

/**
 * What a request gets that no route takes: 405 with `Allow` where the path is known with another method, else the
 * console's file of that name, else 404.
 */

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

export function noRoute(app: Hono<AppEnv>): NotFoundHandler<AppEnv> {
  return async (c) => {
    const allowed = METHODS.filter((method) => hasRoute(app, method, c.req.path));
    if (allowed.length > 0) return wrongMethod(c, allowed);
    return (await asset(c)) ?? refuse(c, "not_found", "There is no such route; /docs lists them.");
  };
}

/** Middleware stands in the router as well, under the name of all methods. */
function hasRoute(app: Hono<AppEnv>, method: string, path: string): boolean {
  const [matches] = app.router.match(method, path);
  return matches.some(([[, route]]) => route.method !== METHOD_NAME_ALL);
}

function wrongMethod(c: AppContext, allowed: readonly string[]): Response {
  const names = allowed.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
  const response = refuse(c, "method_not_allowed", `This route takes ${names}.`);
  response.headers.set("Allow", names);
  return response;
}

/** Null when there is none. Only paths outside the API can be files. */
async function asset(c: AppContext): Promise<Response | null> {
  const isRead = c.req.method === "GET" || c.req.method === "HEAD";
  if (!isRead || c.env.ASSETS === undefined || c.req.path.startsWith("/v1/")) return null;
  const found = await c.env.ASSETS.fetch(c.req.raw);
  if (found.status !== 404) return new Response(found.body, found);
  await found.body?.cancel();
  return null;
}
