import { matchedRoutes } from "hono/route";
import { METHOD_NAME_ALL } from "hono/router";
import type { AppContext } from "./context.ts";

/**
 * The route that takes this request, as the OpenAPI document writes it: `GET /v1/agents/{id}`; null when there is none.
 * A HEAD is a GET. It is the router's own choice, so whoever judges by it judges what will run.
 */
export function matchedRoute(c: AppContext): string | null {
  const route = matchedRoutes(c).find(({ method }) => method !== METHOD_NAME_ALL);
  return route === undefined ? null : `${route.method} ${documentedPath(route.path)}`;
}

/** The router writes `:id` and `*` where the document writes `{id}` and, for files, `{path}`. */
function documentedPath(path: string): string {
  return path.replace(/:(\w+)/g, "{$1}").replace("*", "{path}");
}
