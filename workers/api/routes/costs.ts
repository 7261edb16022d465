import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";

import { LIMITS } from "../../../kernel/limits.ts";
import { COST_GROUPS } from "../../../kernel/scheduler/costs.ts";
import { answer, coreObject } from "../../objects.ts";
import type { AppEnv } from "../context.ts";
import { instant } from "../instant.ts";
import { reply } from "../reply.ts";
import { needs } from "../roles.ts";
import { failures, json, parameter } from "../route.ts";

const costRow = z
  .object({
    key: z.string().meta({ description: "The agent's id, the model, the provider or the UTC day." }),
    calls: z.int(),
    promptTokens: z.int(),
    cachedTokens: z.int(),
    completionTokens: z.int(),
    costNanoUsd: z.int(),
    costUsd: z.string(),
    unknown: z.int().meta({ description: "Calls whose outcome a crash hid, counted at their upper bound." }),
  })
  .meta({ id: "CostRow" });

const ledger = createRoute({
  method: "get",
  path: "/v1/costs",
  security: needs("viewer"),
  tags: ["costs"],
  summary: "The ledger, to the nano-dollar",
  request: {
    query: z.object({
      groupBy: parameter(z.enum(COST_GROUPS).optional(), "What a row stands for; `agent` when absent."),
      from: parameter(instant.optional(), "Only calls from this instant on (RFC 3339)."),
      to: parameter(instant.optional(), "Only calls before this instant."),
    }),
  },
  responses: {
    200: json(
      z.object({ items: z.array(costRow), totalNanoUsd: z.int(), totalUsd: z.string() }).meta({ id: "Costs" }),
      "A row per group, and the sum of all.",
    ),
    ...failures,
  },
});

export function costs(app: OpenAPIHono<AppEnv>): void {
  app.openapi(ledger, async (c) => {
    const { groupBy = "agent", from, to } = c.req.valid("query");
    const core = coreObject(c.env, c.var.principal.tenant);
    return reply(c, await answer(core.costs({ groupBy, from, to }), LIMITS.bulkRpcMs), 200);
  });
}
