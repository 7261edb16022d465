import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { approvalRule, ruleSpec } from "../../../kernel/scheduler/approval-rules.ts";
import { answer, coreObject } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import type { AppEnv } from "../context.ts";
import { listOptions, sealed } from "../cursor.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { problem } from "../problem.ts";
import { reply } from "../reply.ts";
import { needs } from "../roles.ts";
import { failures, idempotencyHeader, json, listOf, pageQuery, takes } from "../route.ts";

/** Sticky answers: rules that say yes or no to a kind of action in a person's place. They widen no level and no grant. */

const tags = ["approvals"];
const rule = approvalRule.meta({ id: "ApprovalRule" });

const list = createRoute({
  method: "get",
  path: "/v1/approval-rules",
  security: needs("viewer"),
  tags,
  summary: "The rules that answer approvals",
  request: { query: z.object(pageQuery) },
  responses: { 200: json(listOf(rule).meta({ id: "ApprovalRuleList" }), "A page of them."), ...failures },
});

const add = createRoute({
  method: "post",
  path: "/v1/approval-rules",
  security: needs("operator"),
  tags,
  summary: "Make a rule",
  description:
    "Agents ask for it before each call that needs an approval. Of two that fit, the one that denies counts. What is asked because of untrusted content, a rule for a whole tool does not approve.",
  middleware: jsonBody,
  request: { headers: idempotencyHeader, body: takes(ruleSpec.meta({ id: "ApprovalRuleSpec" })) },
  responses: { 201: json(rule, "It holds from the next call on."), ...failures },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/approval-rules/{id}",
  security: needs("operator"),
  tags,
  summary: "Delete a rule",
  request: { params: z.object({ id: z.string().meta({ description: "The rule's id, `rule_...`." }) }) },
  responses: { 204: { description: "It counts for nothing from the next call on." }, ...failures },
});

export function approvalRules(app: OpenAPIHono<AppEnv>): void {
  app.openapi(list, async (c) => {
    const { tenant } = c.var.principal;
    const options = listOptions(`${tenant}/approval-rules`, c.req.valid("query"));
    if (!options.ok) return problem(c, options.error);
    const result = await answer(coreObject(c.env, tenant).approvalRules(options.value));
    return reply(c, sealed(`${tenant}/approval-rules`, result), 200);
  });

  app.openapi(add, async (c) => {
    const { principal } = c.var;
    const idempotencyKey = c.req.valid("header")["Idempotency-Key"];
    const added = coreObject(c.env, principal.tenant).addApprovalRule(c.req.valid("json"), {
      actor: actorOf(principal),
      idempotencyKey,
    });
    return reply(c, await answer(added), 201);
  });

  app.openapi(remove, async (c) => {
    const { principal } = c.var;
    const core = coreObject(c.env, principal.tenant);
    const removed = await answer(core.deleteApprovalRule(c.req.valid("param").id, actorOf(principal)));
    return removed.ok ? c.body(null, 204) : problem(c, removed.error);
  });
}
