import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { ok } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { quotaMeter } from "../../../kernel/process/block.ts";
import { QUOTA_NAMES, quotas as quotasSchema } from "../../../kernel/process/spec.ts";
import { answer, coreObject } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import type { AppEnv } from "../context.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { problem } from "../problem.ts";
import { Tenants } from "../registry/tenants.ts";
import { reply } from "../reply.ts";
import { needs } from "../roles.ts";
import { failures, json, takes } from "../route.ts";

/**
 * The tenant's budgets. The core enforces `tokens`, `nanoUsd`, `steps` and `wallMs` at each grant of a model call, `children` and
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

const show = createRoute({
  method: "get",
  path: "/v1/quotas",
  security: needs("viewer"),
  tags,
  summary: "The tenant's budgets",
  responses: { 200: json(meters, "Those that are set."), ...failures },
});

const replace = createRoute({
  method: "put",
  path: "/v1/quotas",
  security: needs("admin"),
  tags,
  summary: "Set the tenant's budgets",
  description:
    "Sets exactly the budgets that it names and removes the others; agents that wait for a quota ask again. What was used counts on while the period stays the same. `tokens`, `nanoUsd`, `steps` and `wallMs` are enforced before each model call, `children` (all processes that live) and `depth` at each spawn, pages, files and `cpuMs` (before each run of code) as agents report what they store and used, `requestsPerMinute` at the door, four seconds later at most.",
  middleware: jsonBody,
  request: { body: takes(limitsBody) },
  responses: { 200: json(meters, "As they are now."), ...failures },
});

export function quotas(app: OpenAPIHono<AppEnv>): void {
  app.openapi(show, async (c) => reply(c, await answer(coreObject(c.env, c.var.principal.tenant).quotas()), 200));

  app.openapi(replace, async (c) => {
    const { principal } = c.var;
    const { quotas: nested, ...bare } = c.req.valid("json");
    const quotas = { ...bare, ...nested };
    const set = await answer(coreObject(c.env, principal.tenant).setQuotas(quotas, actorOf(principal)));
    if (!set.ok) return problem(c, set.error);
    const { seq, ...now } = set.value;
    const known = await new Tenants(c.env.DB).limitRequests(principal.tenant, quotas.requestsPerMinute ?? null, seq);
    return reply(c, known.ok ? ok(now) : known, 200);
  });
}
