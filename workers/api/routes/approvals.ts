import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { LIMITS } from "../../../kernel/limits.ts";
import { answer, coreObject } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import type { AppEnv } from "../context.ts";
import { listOptions, sealed } from "../cursor.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { problem } from "../problem.ts";
import { reply } from "../reply.ts";
import { needs } from "../roles.ts";
import { failures, json, listOf, pageQuery, parameter, takes } from "../route.ts";

const tags = ["approvals"];

const approval = z
  .object({
    id: z.string(),
    agentId: z.string(),
    kind: z.enum(["approval", "question"]),
    state: z.enum(["open", "answered", "withdrawn"]),
    question: z.string(),
    options: z.array(z.string()).nullable(),
    answer: z.string().nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "Approval" });

const answerBody = z
  .strictObject({ answer: z.string().min(1).max(LIMITS.textChars).meta({ description: "What the agent is told." }) })
  .meta({ id: "AnswerBody" });

const list = createRoute({
  method: "get",
  path: "/v1/approvals",
  security: needs("viewer"),
  tags,
  summary: "What waits for a person",
  request: {
    query: z.object({
      ...pageQuery,
      state: parameter(z.enum(["open", "answered"]).optional(), "Only approvals in this state."),
    }),
  },
  responses: { 200: json(listOf(approval).meta({ id: "ApprovalList" }), "A page of it."), ...failures },
});

const decide = createRoute({
  method: "post",
  path: "/v1/approvals/{id}",
  security: needs("operator"),
  tags,
  summary: "Answer a question of an agent",
  middleware: jsonBody,
  request: {
    params: z.object({ id: z.string().meta({ description: "The approval's id, `apr_...`." }) }),
    body: takes(answerBody),
  },
  responses: { 200: json(approval, "It is answered; the agent goes on."), ...failures },
});

export function approvals(app: OpenAPIHono<AppEnv>): void {
  app.openapi(list, async (c) => {
    const { state, ...query } = c.req.valid("query");
    const { tenant } = c.var.principal;
    const options = listOptions(`${tenant}/approvals`, query);
    if (!options.ok) return problem(c, options.error);
    const result = await answer(coreObject(c.env, tenant).approvals({ ...options.value, state }));
    return reply(c, sealed(`${tenant}/approvals`, result), 200);
  });

  app.openapi(decide, async (c) => {
    const { principal } = c.var;
    const core = coreObject(c.env, principal.tenant);
    const call = core.answer(c.req.valid("param").id, c.req.valid("json"), actorOf(principal));
    return reply(c, await answer(call), 200);
  });
}
