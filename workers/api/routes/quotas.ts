import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import type { TenantMeters } from "../../../durable-objects/core/rpc.ts";
import { err, ok, type Result } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { quotaMeter } from "../../../kernel/process/block.ts";
import { QUOTA_NAMES, type Quotas, quotas as quotasSchema } from "../../../kernel/process/spec.ts";
import { answer, coreObject } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { problem } from "../problem.ts";
import { Keys } from "../registry/keys.ts";
import { Tenants } from "../registry/tenants.ts";
import { reply } from "../reply.ts";
import { needs } from "../roles.ts";
import { failures, json, parameter, takes } from "../route.ts";

/**
 * The tenant's budgets, and those of its keys. The core enforces `tokens`, `nanoUsd`, `steps` and `wallMs` at each grant of a model call, `children` and
 * `depth` at each spawn, and `requestsPerMinute` over all keys of the tenant together. Pages and files are counted as agents
 * report them, and so is `cpuMs`, which each agent reserves before it runs code.
 */

const tags = ["quotas"];

const meters = z
  .object({
    quotas: z.partialRecord(z.enum(QUOTA_NAMES), quotaMeter),
  })
  .meta({ id: "TenantQuotas" });

const limits = quotasSchema
  .extend({
    requestsPerMinute: z
      .int()
      .min(1)
      .max(LIMITS.requestsPerMinuteMax)
      .optional()
      .meta({ description: "All requests of all keys of the tenant; the bootstrap key does not count." }),
  })
  .meta({ id: "TenantLimits" });

const limitsBody = limits
  .extend({ quotas: limits.optional().meta({ description: "The same once more, under the name that GET gives it." }) })
  .meta({ id: "TenantLimitsBody" });

/** What calls take: the rest belongs to processes, and a key's rate to the key. */
const KEY_QUOTAS = ["tokens", "nanoUsd", "steps", "wallMs", "cpuMs"] as const;

const keyQuery = z.object({
  keyId: parameter(z.string().max(LIMITS.nameChars).optional(), "Of this key instead of the whole tenant."),
});

const show = createRoute({
  method: "get",
  path: "/v1/quotas",
  security: needs("viewer"),
  tags,
  summary: "The tenant's budgets, or a key's",
  request: { query: keyQuery },
  responses: { 200: json(meters, "Those that are set."), ...failures },
});

const replace = createRoute({
  method: "put",
  path: "/v1/quotas",
  security: needs("admin"),
  tags,
  summary: "Set the tenant's budgets, or a key's",
  description:
    "Sets exactly the budgets that it names and removes the others; agents that wait for a quota ask again. What was used counts on while the period stays the same. `tokens`, `nanoUsd`, `steps` and `wallMs` are enforced before each model call, `children` (all processes that live) and `depth` at each spawn, pages, files and `cpuMs` (before each run of code) as agents report what they store and used, `requestsPerMinute` at the door, four seconds later at most. With `keyId`: what the key's own calls, its batches and all processes that it had spawned may use of `tokens`, `nanoUsd`, `steps`, `wallMs` and `cpuMs`.",
  middleware: jsonBody,
  request: { query: keyQuery, body: takes(limitsBody) },
  responses: { 200: json(meters, "As they are now."), ...failures },
});

export function quotas(app: OpenAPIHono<AppEnv>): void {
  app.openapi(show, async (c) => {
    const { keyId } = c.req.valid("query");
    const core = coreObject(c.env, c.var.principal.tenant);
    if (keyId === undefined) return reply(c, await answer(core.quotas()), 200);
    const key = await new Keys(c.env.DB).get(keyId, c.var.principal.tenant);
    return reply(c, key.ok ? await answer(core.keyQuotas(keyId)) : key, 200);
  });

  app.openapi(replace, async (c) => {
    const { principal } = c.var;
    const { quotas: nested, ...bare } = c.req.valid("json");
    const quotas = { ...bare, ...nested };
    const { keyId } = c.req.valid("query");
    if (keyId !== undefined) return reply(c, await setOfKey(c, keyId, quotas), 200);
    const set = await answer(coreObject(c.env, principal.tenant).setQuotas(quotas, actorOf(principal)));
    if (!set.ok) return problem(c, set.error);
    const { seq, ...now } = set.value;
    const known = await new Tenants(c.env.DB).limitRequests(principal.tenant, quotas.requestsPerMinute ?? null, seq);
    return reply(c, known.ok ? ok(now) : known, 200);
  });
}

async function setOfKey(c: AppContext, keyId: string, quotas: Quotas): Promise<Result<TenantMeters>> {
  const { principal } = c.var;
  const strange = Object.keys(quotas).filter((name) => !KEY_QUOTAS.some((known) => known === name));
  if (strange.length > 0) {
    const message = `a key has budgets of ${KEY_QUOTAS.join(", ")}`;
    return err("invalid_input", "This is no budget of a key.", {
      issues: strange.map((name) => ({ path: `$.quotas.${name}`, message })),
    });
  }
  const key = await new Keys(c.env.DB).get(keyId, principal.tenant);
  if (!key.ok) return key;
  return await answer(coreObject(c.env, principal.tenant).setKeyQuotas(keyId, quotas, actorOf(principal)));
}
