import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { Credentials } from "../../../durable-objects/credentials/credentials.ts";
import { SecretBox } from "../../../durable-objects/credentials/secret-box.ts";
import { variablesOf } from "../../../durable-objects/env.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { credentialName } from "../../../kernel/process/spec.ts";
import { HOST_RULE, isHostRule } from "../../../kernel/security/host-rules.ts";
import { givenHeaders } from "../../../kernel/syscalls/web.ts";
import type { AppEnv } from "../context.ts";
import { listOptions, sealed } from "../cursor.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { problem } from "../problem.ts";
import { removeCredential, storeCredential } from "../registry/store-credential.ts";
import { reply } from "../reply.ts";
import { needs } from "../roles.ts";
import { failures, idempotencyHeader, json, listOf, pageQuery, takes } from "../route.ts";

/** Secrets for hosts outside: handed in, sealed, and never shown again. */

const tags = ["credentials"];
const instant = z.iso.datetime();

const view = z
  .object({
    name: z.string(),
    hosts: z.array(z.string()),
    version: z.int().meta({ description: "Counts how often it was stored." }),
    fingerprint: z.string().meta({ description: "Tells one value from another, and nothing of either." }),
    createdAt: instant,
    lastUsedAt: instant.nullable().meta({ description: "To the hour." }),
  })
  .meta({ id: "Credential" });

const secret = z
  .string()
  .regex(
    /^[\x21-\x7e]+$/,
    "a token of printable ASCII without spaces; it is sent as `Authorization: Bearer <value>`, and `headers` takes whatever else",
  )
  .min(LIMITS.credentialChars)
  .max(LIMITS.webHeaderChars);

const secretHeaders = givenHeaders.refine((all) => {
  const values = Object.values(all);
  const isLong = values.every(({ length }) => length >= LIMITS.credentialChars);
  return isLong && values.length > 0 && values.length <= LIMITS.credentialHeaders;
}, `1 to ${LIMITS.credentialHeaders} headers, each value at least ${LIMITS.credentialChars} characters`);

const body = z
  .strictObject({
    name: credentialName,
    value: secret.optional().meta({ description: "Sent as `Authorization: Bearer <value>`." }),
    headers: secretHeaders.optional().meta({ description: "Or the headers as they are to be sent; all are secret." }),
    hosts: z
      .array(z.string().max(LIMITS.nameChars).refine(isHostRule, HOST_RULE))
      .min(1)
      .max(LIMITS.credentialHosts)
      .meta({ description: "`host`, `host:port` or `*.host`: it is sent to these and to no other." }),
  })
  .refine(({ value, headers }) => (value === undefined) !== (headers === undefined), {
    path: ["value"],
    message: "name either value or headers",
  })
  .meta({ id: "CredentialBody" });

const store = createRoute({
  method: "post",
  path: "/v1/credentials",
  security: needs("operator"),
  tags,
  summary: "Store a secret for hosts outside",
  description:
    "In the place of the one of this name, from the next request on. A process uses it by name, when it was granted (`grants.credentials`), and never sees it. 503 `unavailable` where the kernel has no `AOS_SECRETS_KEY`.",
  middleware: jsonBody,
  request: { headers: idempotencyHeader, body: takes(body) },
  responses: { 201: json(view, "It is sealed; no reply shows it."), ...failures },
});

const list = createRoute({
  method: "get",
  path: "/v1/credentials",
  security: needs("operator"),
  tags,
  summary: "The tenant's credentials, without their secrets",
  request: { query: z.object(pageQuery) },
  responses: { 200: json(listOf(view).meta({ id: "CredentialList" }), "By name."), ...failures },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/credentials/{name}",
  security: needs("operator"),
  tags,
  summary: "Remove one",
  description: `No request that begins after the reply carries it; one that has begun ends within ${LIMITS.webMs / 1_000} s.`,
  request: { params: z.object({ name: z.string().meta({ description: "The credential's name." }) }) },
  responses: { 204: { description: "It is gone." }, ...failures },
});

const counts = z
  .object({
    resealed: z.int(),
    lost: z.int().meta({ description: "Those that neither key opens: they have to be stored again." }),
  })
  .meta({ id: "Resealed" });

const reseal = createRoute({
  method: "post",
  path: "/v1/credentials/reseal",
  security: needs("operator"),
  tags,
  summary: "Seal all under the present AOS_SECRETS_KEY",
  description:
    "What `AOS_SECRETS_KEY_PREVIOUS` has sealed is opened and sealed anew; then nobody needs that key any more.",
  responses: { 200: json(counts, "How many."), ...failures },
});

export function credentials(app: OpenAPIHono<AppEnv>): void {
  app.openapi(store, async (c) => {
    const box = SecretBox.of(variablesOf(c.env));
    if (!box.ok) return problem(c, box.error);
    const { value, headers: given = {}, ...rest } = c.req.valid("json");
    const headers = value === undefined ? inLowerCase(given) : { authorization: `Bearer ${value}` };
    const idempotencyKey = c.req.valid("header")["Idempotency-Key"];
    return reply(c, await storeCredential(c, box.value, { spec: { ...rest, headers }, idempotencyKey }), 201);
  });

  app.openapi(list, async (c) => {
    const { tenant } = c.var.principal;
    const name = `${tenant}/credentials`;
    const options = listOptions(name, c.req.valid("query"));
    if (!options.ok) return problem(c, options.error);
    return reply(c, sealed(name, await new Credentials(c.env.DB).list(tenant, options.value)), 200);
  });

  app.openapi(remove, async (c) => {
    const removed = await removeCredential(c, c.req.valid("param").name);
    return removed.ok ? c.body(null, 204) : problem(c, removed.error);
  });

  app.openapi(reseal, async (c) => {
    const box = SecretBox.of(variablesOf(c.env));
    if (!box.ok) return problem(c, box.error);
    return reply(c, await new Credentials(c.env.DB).resealAll(c.var.principal.tenant, box.value), 200);
  });
}

function inLowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
