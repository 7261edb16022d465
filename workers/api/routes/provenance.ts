import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { provenanceReport } from "../../../kernel/process/provenance.ts";
import { answer } from "../../objects.ts";
import type { AppEnv } from "../context.ts";
import { reply } from "../reply.ts";
import { needs } from "../roles.ts";
import { agentParams, failures, json } from "../route.ts";

const show = createRoute({
  method: "get",
  path: "/v1/agents/{id}/provenance",
  security: needs("viewer"),
  tags: ["approvals"],
  summary: "What the agent has read, and which of its calls waited for a person because of it",
  request: { params: agentParams },
  responses: { 200: json(provenanceReport.meta({ id: "Provenance" }), "As it is now."), ...failures },
});

export function provenance(app: OpenAPIHono<AppEnv>): void {
  app.openapi(show, async (c) => reply(c, await answer(c.var.agent.provenance()), 200));
}
