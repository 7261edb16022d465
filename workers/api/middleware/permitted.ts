import type { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { answer, coreObject } from "../../objects.ts";
import { actorOf, type Principal } from "../authenticate.ts";
import type { AppContext, AppEnv } from "../context.ts";
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
    const reason = refusalOf(route, least, c.var.principal);
    if (reason === null) return next();
    if (c.req.method !== "GET" && c.req.method !== "HEAD") await enter(c, route, reason);
    return refuse(c, "forbidden", reason);
  };
}

/** Why the principal may not do what the route does, or null. */
function refusalOf(route: string, least: Rank | undefined, { role, scopes }: Principal): string | null {
  if (least === undefined) return "This route is not open to any key.";
  if (!reaches(role, least)) return wanted(least);
  const scope = scopeOf(route);
  if (scopes === null || (scope !== undefined && scopes.includes(scope))) return null;
  return `This key was not given the scope \`${scope ?? "of this route"}\`.`;
}

/** Into the chain of the caller's tenant; a core that does not answer keeps nobody from being refused, and the access log has it too. */
async function enter(c: AppContext, route: string, reason: string): Promise<void> {
  const { principal } = c.var;
  await answer(coreObject(c.env, principal.tenant).deny(actorOf(principal), { route, reason }));
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
