import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { ok } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { controlBlock } from "../../../kernel/process/block.ts";
import { processPatch, processSpec } from "../../../kernel/process/spec.ts";
import { STATES } from "../../../kernel/process/state.ts";
import { answer, coreObject } from "../../objects.ts";
import { actorOf } from "../authenticate.ts";
import type { AppEnv } from "../context.ts";
import { listOptions, sealed } from "../cursor.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { problem } from "../problem.ts";
import { reply } from "../reply.ts";
import { needs } from "../roles.ts";
import {
  agentParams,
  failures,
  idempotencyHeader,
  json,
  listOf,
  numeric,
  pageQuery,
  parameter,
  takes,
} from "../route.ts";
import { waitForProcess } from "../wait-for-process.ts";

const tags = ["agents"];
const agent = controlBlock.meta({ id: "Agent" });

const spawn = createRoute({
  method: "post",
  path: "/v1/agents",
  security: needs("operator"),
  tags,
  summary: "Spawn an agent",
  middleware: jsonBody,
  request: { headers: idempotencyHeader, body: takes(processSpec.meta({ id: "AgentSpec" })) },
  responses: { 201: json(agent, "It is durable and listed."), ...failures },
});

const list = createRoute({
  method: "get",
  path: "/v1/agents",
  security: needs("viewer"),
  tags,
  summary: "The process table",
  request: {
    query: z.object({
      ...pageQuery,
      state: parameter(z.enum(STATES).optional(), "Only agents in this state."),
      name: parameter(z.string().max(LIMITS.nameChars).optional(), "Only agents with exactly this name."),
      parentId: parameter(z.string().max(LIMITS.nameChars).optional(), "Only the children of this agent."),
    }),
  },
  responses: { 200: json(listOf(agent).meta({ id: "AgentList" }), "A page of it."), ...failures },
});

const show = createRoute({
  method: "get",
  path: "/v1/agents/{id}",
  security: needs("viewer"),
  tags,
  summary: "The process control block",
  request: { params: agentParams },
  responses: { 200: json(agent, "As it is now."), ...failures },
});

const change = createRoute({
  method: "patch",
  path: "/v1/agents/{id}",
  security: needs("operator"),
  tags,
  summary: "Change priority, quotas, level or name",
  middleware: jsonBody,
  request: { params: agentParams, body: takes(processPatch.meta({ id: "AgentPatch" })) },
  responses: { 200: json(agent, "As it is after the change."), ...failures },
});

const erase = createRoute({
  method: "delete",
  path: "/v1/agents/{id}",
  security: needs("operator"),
  tags,
  summary: "Kill an agent and erase it in every tier",
  request: { params: agentParams },
  responses: { 202: json(z.object({ id: z.string() }), "It is gone: 404 from now on, erased soon."), ...failures },
});

const wait = createRoute({
  method: "get",
  path: "/v1/agents/{id}/wait",
  security: needs("viewer"),
  tags,
  summary: "Wait until it ends, is stopped, or needs somebody",
  description:
    "Returns the control block when the process has terminated, waits for a person or a quota, is stopped, or has an empty mailbox; else at the timeout.",
  request: {
    params: agentParams,
    query: z.object({
      timeout: numeric(
        z.number().min(0).optional(),
        `Seconds; ${LIMITS.waitDefaultSeconds} when absent, more than ${LIMITS.waitMaxSeconds} counts as ${LIMITS.waitMaxSeconds}.`,
      ),
    }),
  },
  responses: { 200: json(agent, "As it is now, whether the wait is over or the time."), ...failures },
});

export function agents(app: OpenAPIHono<AppEnv>): void {
  app.openapi(spawn, async (c) => {
    const { principal } = c.var;
    const idempotencyKey = c.req.valid("header")["Idempotency-Key"];
    const core = coreObject(c.env, principal.tenant);
    const result = await answer(core.spawn(c.req.valid("json"), { actor: actorOf(principal), idempotencyKey }));
    if (result.ok) c.header("Location", `/v1/agents/${result.value.id}`);
    return reply(c, result, 201);
  });

  app.openapi(list, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid("query");
    const { tenant } = c.var.principal;
    const options = listOptions(`${tenant}/agents`, { limit, cursor });
    if (!options.ok) return problem(c, options.error);
    const result = await answer(coreObject(c.env, tenant).list({ ...options.value, ...filter }));
    return reply(c, sealed(`${tenant}/agents`, result), 200);
  });

  app.openapi(show, async (c) => reply(c, await answer(c.var.agent.block()), 200));

  app.openapi(change, async (c) => {
    const { principal } = c.var;
    const core = coreObject(c.env, principal.tenant);
    const call = core.patch(c.req.valid("param").id, c.req.valid("json"), actorOf(principal));
    return reply(c, await answer(call), 200);
  });

  app.openapi(erase, async (c) => {
    const { principal } = c.var;
    const { id } = c.req.valid("param");
    const result = await answer(coreObject(c.env, principal.tenant).erase(id, actorOf(principal)), LIMITS.bulkRpcMs);
    return reply(c, result.ok ? ok({ id }) : result, 202);
  });

  app.openapi(wait, async (c) => {
    const seconds = Math.min(c.req.valid("query").timeout ?? LIMITS.waitDefaultSeconds, LIMITS.waitMaxSeconds);
    return reply(c, await waitForProcess(c.var.reachAgent, seconds * 1_000, c.req.raw.signal), 200);
  });
}
