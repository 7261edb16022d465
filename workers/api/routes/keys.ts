import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { err, ok, type Result } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { administers } from "../authenticate.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { listOptions, sealed } from "../cursor.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { problem } from "../problem.ts";
import { attemptOf } from "../registry/attempt.ts";
import { issueKey } from "../registry/issue-key.ts";
import { type KeySpec, Keys } from "../registry/keys.ts";
import { revokeKey } from "../registry/revoke-key.ts";
import { rotateKey } from "../registry/rotate-key.ts";
import { reply } from "../reply.ts";
import { needs, ROLES } from "../roles.ts";
import { failures, idempotencyHeader, json, listOf, pageQuery, parameter, takes } from "../route.ts";
import { SCOPES, scopes, withinScopes } from "../scopes.ts";

const tags = ["keys"];
const instant = z.iso.datetime();

const keyView = z.object({
  id: z.string(),
  tenantId: z.string(),
  role: z.enum(ROLES),
  name: z.string(),
  createdAt: instant,
  expiresAt: instant.nullable(),
  revokedAt: instant.nullable(),
  lastUsedAt: instant.nullable().meta({ description: "To the hour." }),
  requestsPerMinute: z.int().nullable(),
  scopes: z.array(z.enum(SCOPES)).nullable().meta({ description: "Null = everything of its role." }),
  replacedBy: z.string().nullable().meta({ description: "The key that `rotate` made in its place." }),
});

const issued = keyView
  .extend({ key: z.string().meta({ description: "The key itself. It is shown this once and stored nowhere." }) })
  .meta({ id: "IssuedKey" });

const keyBody = z
  .strictObject({
    role: z.enum(ROLES),
    tenantId: z.string().max(LIMITS.nameChars).optional().meta({ description: "The caller's tenant when absent." }),
    name: z.string().max(LIMITS.nameChars).optional().meta({ description: "What people call it." }),
    expiresAt: z.iso
      .datetime({ offset: true })
      .refine((at) => Date.parse(at) > Date.now(), "It lies in the past")
      .optional()
      .meta({ description: "RFC 3339; never when absent." }),
    requestsPerMinute: z
      .int()
      .min(1)
      .max(LIMITS.requestsPerMinuteMax)
      .optional()
      .meta({ description: "More requests a minute are 429 `rate_limited`; no limit when absent." }),
    scopes: scopes.optional(),
  })
  .meta({ id: "KeyBody" });

const create = createRoute({
  method: "post",
  path: "/v1/keys",
  security: needs("admin"),
  tags,
  summary: "Make a key of a tenant",
  description:
    "An admin makes keys of its own tenant, the bootstrap key those of any. A key with scopes hands out no others than its own.",
  middleware: jsonBody,
  request: { headers: idempotencyHeader, body: takes(keyBody) },
  responses: { 201: json(issued, "The only reply that shows the key."), ...failures },
});

const list = createRoute({
  method: "get",
  path: "/v1/keys",
  security: needs("admin"),
  tags,
  summary: "The keys, revoked ones included",
  request: {
    query: z.object({
      ...pageQuery,
      tenantId: parameter(
        z.string().max(LIMITS.nameChars).optional(),
        "Only keys of this tenant; when absent, all that the caller administers.",
      ),
    }),
  },
  responses: { 200: json(listOf(keyView.meta({ id: "Key" })).meta({ id: "KeyList" }), "A page of them."), ...failures },
});

const revoke = createRoute({
  method: "delete",
  path: "/v1/keys/{id}",
  security: needs("admin"),
  tags,
  summary: "Revoke a key",
  description: `Answers after ${LIMITS.keyRevocationMs / 1_000} seconds, when the key opens nothing any more, anywhere. What was let in before goes on to its end.`,
  request: { params: z.object({ id: z.string().meta({ description: "The key's id, `key_...`." }) }) },
  responses: { 204: { description: "It is revoked." }, ...failures },
});

const rotation = z
  .strictObject({
    overlapSeconds: z
      .int()
      .min(0)
      .max(LIMITS.keyOverlapMaxSeconds)
      .default(0)
      .meta({ description: "How long the old key works on. 0: the reply comes when it opens nothing any more." }),
  })
  .meta({ id: "KeyRotation" });

const rotate = createRoute({
  method: "post",
  path: "/v1/keys/{id}/rotate",
  security: needs("admin"),
  tags,
  summary: "Make a key in the place of another",
  description:
    "The new key has the role, scopes, limits and expiry of the old one, which expires when the overlap is over, and not a moment later in any isolate. A rotated key is rotated no more: rotate its successor.",
  middleware: jsonBody,
  request: {
    params: z.object({ id: z.string().meta({ description: "The old key's id, `key_...`." }) }),
    headers: idempotencyHeader,
    body: takes(rotation),
  },
  responses: { 201: json(issued, "The only reply that shows the new key."), ...failures },
});

export function keys(app: OpenAPIHono<AppEnv>): void {
  app.openapi(create, async (c) => {
    const body = c.req.valid("json");
    const spec = specOf(body, c.var.principal.tenant);
    if (!administers(c.var.principal, spec.tenant)) return problem(c, FOREIGN.error);
    if (!withinScopes(spec.scopes, c.var.principal.scopes)) return problem(c, WIDER.error);
    const attempt = attemptOf(c, body, c.req.valid("header")["Idempotency-Key"]);
    return reply(c, await issueKey(c, spec, attempt), 201);
  });

  app.openapi(rotate, async (c) => {
    const { id } = c.req.valid("param");
    const body = c.req.valid("json");
    const attempt = attemptOf(c, { id, ...body }, c.req.valid("header")["Idempotency-Key"]);
    return reply(c, await rotateKey(c, id, { overlapMs: body.overlapSeconds * 1_000, attempt }), 201);
  });

  app.openapi(list, async (c) => {
    const { tenantId, ...query } = c.req.valid("query");
    const tenant = scopeOf(c, tenantId);
    if (!tenant.ok) return problem(c, tenant.error);
    const name = `${tenant.value ?? "*"}/keys`;
    const options = listOptions(name, query);
    if (!options.ok) return problem(c, options.error);
    return reply(c, sealed(name, await new Keys(c.env.DB).list(tenant.value, options.value)), 200);
  });

  app.openapi(revoke, async (c) => {
    const revoked = await revokeKey(c, c.req.valid("param").id);
    return revoked.ok ? c.body(null, 204) : problem(c, revoked.error);
  });
}

const WIDER = err("forbidden", "A key with scopes hands out no others than its own; name them.");
const FOREIGN = err("forbidden", "This key administers its own tenant and no other.");

function specOf(body: z.output<typeof keyBody>, ownTenant: string): KeySpec {
  return {
    tenant: body.tenantId ?? ownTenant,
    role: body.role,
    name: body.name ?? "",
    expiresAt: body.expiresAt === undefined ? null : Date.parse(body.expiresAt),
    requestsPerMinute: body.requestsPerMinute ?? null,
    scopes: body.scopes ?? null,
  };
}

/** Whose keys are listed; null = everybody's. */
function scopeOf(c: AppContext, tenantId: string | undefined): Result<string | null> {
  const { role, tenant } = c.var.principal;
  if (role === "bootstrap") return ok(tenantId ?? null);
  return tenantId === undefined || tenantId === tenant ? ok(tenant) : FOREIGN;
}
