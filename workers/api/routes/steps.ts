import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { stepView } from "../../../kernel/log/journal.ts";
import { answer } from "../../objects.ts";
import type { AppEnv } from "../context.ts";
import { listOptions, sealed } from "../cursor.ts";
import { problem } from "../problem.ts";
import { reply } from "../reply.ts";
import { needs } from "../roles.ts";
import { agentParams, failures, json, listOf, pageQuery } from "../route.ts";

const list = createRoute({
  method: "get",
  path: "/v1/agents/{id}/steps",
  security: needs("viewer"),
  tags: ["agents"],
  summary: "The journal: what each step asked of the model and the tools, and what it cost",
  request: { params: agentParams, query: z.object(pageQuery) },
  responses: {
    200: json(listOf(stepView.meta({ id: "Step" })).meta({ id: "StepList" }), "A page of it, oldest first."),
    ...failures,
  },
});

export function steps(app: OpenAPIHono<AppEnv>): void {
  app.openapi(list, async (c) => {
    const name = `${c.req.valid("param").id}/steps`;
    const options = listOptions(name, c.req.valid("query"));
    if (!options.ok) return problem(c, options.error);
    return reply(c, sealed(name, await answer(c.var.agent.steps(options.value))), 200);
  });
}
