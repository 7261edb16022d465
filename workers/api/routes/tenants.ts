import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { name } from "../../../kernel/process/spec.ts";
import type { AppEnv } from "../context.ts";
import { listOptions, sealed } from "../cursor.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { problem } from "../problem.ts";
import { attemptOf } from "../registry/attempt.ts";
import { closeTenant } from "../registry/close-tenant.ts";
import { openTenant } from "../registry/open-tenant.ts";
import { Tenants } from "../registry/tenants.ts";
import { reply } from "../reply.ts";
import { needs } from "../roles.ts";
import { failures, idempotencyHeader, json, listOf, pageQuery, takes } from "../route.ts";

const tags = ["keys"];

const tenant = z.object({ id: z.string(), name: z.string(), createdAt: z.iso.datetime() }).meta({ id: "Tenant" });

const create = createRoute({
  method: "post",
  path: "/v1/tenants",
  security: needs("bootstrap"),
  tags,
  summary: "Make a tenant",
  description:
    "Give its id as `tenantId` to `POST /v1/keys`, or as `X-AOS-Tenant` to act in it with the bootstrap key.",
  middleware: jsonBody,
  request: { headers: idempotencyHeader, body: takes(z.strictObject({ name }).meta({ id: "TenantBody" })) },
  responses: { 201: json(tenant, "It is there."), ...failures },
});

const list = createRoute({
  method: "get",
  path: "/v1/tenants",
  security: needs("viewer"),
  tags,
  summary: "The tenants: all for the bootstrap key, its own for any other",
  request: { query: z.object(pageQuery) },
  responses: { 200: json(listOf(tenant).meta({ id: "TenantList" }), "A page of them."), ...failures },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/tenants/{id}",
  security: needs("bootstrap"),
  tags,
  summary: "Remove an empty tenant",
  description:
    "409 `conflict` while it has agents, or keys that are neither revoked nor expired. Its audit chain stays. `default` is never removed.",
  request: { params: z.object({ id: z.string().meta({ description: "The tenant's id, `t-...`." }) }) },
  responses: { 204: { description: "It is gone." }, ...failures },
});

export function tenants(app: OpenAPIHono<AppEnv>): void {
  app.openapi(create, async (c) => {
    const body = c.req.valid("json");
    const attempt = attemptOf(c, body, c.req.valid("header")["Idempotency-Key"]);
    return reply(c, await openTenant(c, body.name, attempt), 201);
  });

  app.openapi(list, async (c) => {
    const { role, tenant } = c.var.principal;
    const only = role === "bootstrap" ? null : tenant;
    const name = `${only ?? "*"}/tenants`;
    const options = listOptions(name, c.req.valid("query"));
    if (!options.ok) return problem(c, options.error);
    return reply(c, sealed(name, await new Tenants(c.env.DB).list(only, options.value)), 200);
  });

  app.openapi(remove, async (c) => {
    const removed = await closeTenant(c, c.req.valid("param").id);
    return removed.ok ? c.body(null, 204) : problem(c, removed.error);
  });
}
