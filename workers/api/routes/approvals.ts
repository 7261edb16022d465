import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { LIMITS } from "../../../kernel/limits.ts";
import { DECISIONS } from "../../../kernel/process/parking.ts";
import { RULE_KINDS, RULE_SCOPES } from "../../../kernel/scheduler/approval-rules.ts";
import { action } from "../../../kernel/scheduler/grant.ts";
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
    action: action.nullable().meta({ description: "What an approval is about, and what is known of it." }),
    decision: z.enum(DECISIONS).nullable(),
    note: z.string().nullable(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable().meta({ description: "When the process gives up waiting; null = never." }),
  })
  .meta({ id: "Approval" });

const remember = z
  .strictObject({
    scope: z.enum(RULE_SCOPES),
    for: z.enum(RULE_KINDS).optional().meta({ description: "Absent = `exact`: this input and no other." }),
    until: z.iso.datetime({ offset: true }).optional(),
  })
  .meta({ description: "Makes a rule that decides alike from now on: see `/v1/approval-rules`." });

const answerBody = z
  .strictObject({
    answer: z
      .string()
      .min(1)
      .max(LIMITS.textChars)
      .optional()
      .meta({ description: "What the agent is told: the answer to its question, or what a done action answered." }),
    decision: z.enum(DECISIONS).optional().meta({
      description:
        "On a call that is held: `approve` = run it, once; `deny` = tell the agent no. On one whose outcome is unknown: `done` = it happened; `not_done` = it did not, run it again once under the same key; `abandon` = nobody will find out, the message ends as parked.",
    }),
    note: z
      .string()
      .max(LIMITS.noteChars)
      .optional()
      .meta({ description: "For the record; with `deny`, the agent is told." }),
    actionSha256: z
      .string()
      .max(LIMITS.nameChars)
      .optional()
      .meta({ description: "The action that you saw: a decision on any other is 409 and changes nothing." }),
    remember: remember.optional(),
  })
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
  summary: "Answer a question of an agent, or decide on an action",
  middleware: jsonBody,
  request: {
    params: z.object({ id: z.string().meta({ description: "The approval's id, `apr_...`." }) }),
    body: takes(answerBody),
  },
  responses: { 200: json(approval, "The agent has taken it and goes on."), ...failures },
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
