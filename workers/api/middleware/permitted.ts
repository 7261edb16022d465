import type { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../context.ts";
import { matchedRoute } from "../matched-route.ts";
import { refuse } from "../problem.ts";
import { isRank, type Rank, reaches } from "../roles.ts";
import { scopeOf } from "../scopes.ts";

/**
 * Lets a key do what its role and its scopes allow, before anything is looked up. The least role of each route stands in its
 * definition; a route under `/v1` that names none is refused to everybody.
 */
export function permitted(app: OpenAPIHono<AppEnv>): MiddlewareHandler<AppEnv> {
  let roles: ReadonlyMap<string, Rank> | null = null;
  return async (c, next) => {
    const route = matchedRoute(c);
    if (route === null) return next();
    roles ??= leastRoles(app);
    const least = roles.get(route);
    if (least === undefined) return refuse(c, "forbidden", "This route is not open to any key.");
    const { role, scopes } = c.var.principal;
    if (!reaches(role, least)) return refuse(c, "forbidden", wanted(least));
    const scope = scopeOf(route);
    if (scopes === null || (scope !== undefined && scopes.includes(scope))) return next();
    return refuse(c, "forbidden", `This key was not given the scope \`${scope ?? "of this route"}\`.`);
  };
}

/** The one table route -> least role, read off the route definitions. */
export function leastRoles(app: OpenAPIHono<AppEnv>): ReadonlyMap<string, Rank> {
  const roles = new Map<string, Rank>();
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type !== "route") continue;
    const { method, path, security } = definition.route;
    const least = security?.[0]?.["bearer"]?.[0];
    if (isRank(least)) roles.set(`${method.toUpperCase()} ${path}`, least);
  }
  return roles;
}

function wanted(least: Rank): string {
  if (least === "bootstrap") return "Only the bootstrap key may do that.";
  return `This needs a key with the role \`${least}\`${least === "admin" ? "" : " or a higher one"}.`;
}
