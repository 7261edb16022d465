import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { answer, coreObject } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import type { AppEnv } from "../context.ts";
import { problem } from "../problem.ts";
import { needs } from "../roles.ts";
import { failures } from "../route.ts";

/** The cache of replies. What it saved stands in the ledger: `cacheHits` and `savedNanoUsd` of `GET /v1/costs`. */

const purge = createRoute({
  method: "delete",
  path: "/v1/cache",
  security: needs("admin"),
  tags: ["models"],
  summary: "Forget every cached reply of the tenant",
  responses: { 204: { description: "From now on no reply from before is given again, in any level." }, ...failures },
});

export function cache(app: OpenAPIHono<AppEnv>): void {
  app.openapi(purge, async (c) => {
    const { principal } = c.var;
    const purged = await answer(coreObject(c.env, principal.tenant).purgeCache(actorOf(principal)));
    return purged.ok ? c.body(null, 204) : problem(c, purged.error);
  });
}
