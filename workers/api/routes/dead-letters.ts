import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { answer, coreObject } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import type { AppEnv } from "../context.ts";
import { listOptions, sealed } from "../cursor.ts";
import { problem } from "../problem.ts";
import { reply } from "../reply.ts";
import { needs } from "../roles.ts";
import { failures, json, listOf, pageQuery } from "../route.ts";

const tags = ["dead letters"];

const deadLetter = z
  .object({
    callId: z.string(),
    agentId: z.string(),
    reason: z.string().meta({ description: "Why it was given up, in words for people." }),
    attempts: z.int().meta({ description: "How often the call had been put into the queue." }),
    at: z.iso.datetime(),
  })
  .meta({ id: "DeadLetter" });

const list = createRoute({
  method: "get",
  path: "/v1/dead-letters",
  security: needs("viewer"),
  tags,
  summary: "Model calls of the batch lane that the queue could not deliver",
  request: { query: z.object(pageQuery) },
  responses: { 200: json(listOf(deadLetter).meta({ id: "DeadLetterList" }), "A page of them."), ...failures },
});

const retry = createRoute({
  method: "post",
  path: "/v1/dead-letters/{callId}/retry",
  security: needs("operator"),
  tags,
  summary: "Send one of them once more",
  request: { params: z.object({ callId: z.string().meta({ description: "The call's id, `call_...`." }) }) },
  responses: { 202: json(deadLetter, "It is in the queue again, and off the list."), ...failures },
});

export function deadLetters(app: OpenAPIHono<AppEnv>): void {
  app.openapi(list, async (c) => {
    const { tenant } = c.var.principal;
    const options = listOptions(`${tenant}/dead-letters`, c.req.valid("query"));
    if (!options.ok) return problem(c, options.error);
    const result = await answer(coreObject(c.env, tenant).deadLetters(options.value));
    return reply(c, sealed(`${tenant}/dead-letters`, result), 200);
  });

  app.openapi(retry, async (c) => {
    const { principal } = c.var;
    const core = coreObject(c.env, principal.tenant);
    return reply(c, await answer(core.retryDeadLetter(c.req.valid("param").callId, actorOf(principal))), 202);
  });
}
