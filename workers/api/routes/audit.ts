import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import type { Listing } from "../../../durable-objects/agent/rpc.ts";
import { systemHash } from "../../../durable-objects/ports.ts";
import { err, ok, type Result } from "../../../kernel/errors.ts";
import { isAgentIdOf } from "../../../kernel/id.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import type { LogEntry } from "../../../kernel/log/log.ts";
import { type AgentObject, agentObject, answer, coreObject } from "../../objects.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { listOptions, sealed } from "../cursor.ts";
import { instant } from "../instant.ts";
import { problem } from "../problem.ts";
import { reply } from "../reply.ts";
import { needs } from "../roles.ts";
import { failures, json, listOf, pageQuery, parameter } from "../route.ts";

const tags = ["audit"];

const agentId = parameter(
  z.string().optional(),
  "The chain of this agent; when absent, that of the tenant's core (spawns, changes, erasures, money).",
);

const auditEntry = z
  .object({
    seq: z.int(),
    at: z.iso.datetime(),
    action: z.string().meta({ description: "Dotted name of what happened, such as `call.end`." }),
    callId: z.string().nullable(),
    actor: z.string().meta({ description: "`key:<id>`, `agent:<id>` or `kernel`." }),
    data: z.record(z.string(), z.unknown()),
    hash: z.string(),
  })
  .meta({ id: "AuditEntry" });

const chainReport = z
  .object({
    ok: z.boolean(),
    entries: z.int(),
    head: z.string().meta({ description: "Hash of the newest entry." }),
    brokenAt: z.int().optional().meta({ description: "Sequence number of the first entry that does not fit." }),
  })
  .meta({ id: "ChainReport" });

const list = createRoute({
  method: "get",
  path: "/v1/audit",
  security: needs("viewer"),
  tags,
  summary: "The audit trail",
  request: {
    query: z.object({
      ...pageQuery,
      agentId,
      action: parameter(
        z.string().max(LIMITS.nameChars).optional(),
        "Only entries with this action, or with a family of them: `call.` (with the dot).",
      ),
      from: parameter(instant.optional(), "Only entries from this instant on (RFC 3339)."),
    }),
  },
  responses: { 200: json(listOf(auditEntry).meta({ id: "AuditList" }), "A page of it, oldest first."), ...failures },
});

const verify = createRoute({
  method: "get",
  path: "/v1/audit/verify",
  security: needs("viewer"),
  tags,
  summary: "Recompute a hash chain from its first entry",
  request: { query: z.object({ agentId }) },
  responses: { 200: json(chainReport, "Whether it is whole."), ...failures },
});

export function audit(app: OpenAPIHono<AppEnv>): void {
  app.openapi(list, async (c) => {
    const { agentId, action, from, ...query } = c.req.valid("query");
    const agent = agentId === undefined ? null : agentOf(c, agentId);
    if (agent?.ok === false) return problem(c, agent.error);
    const name = `${agentId ?? c.var.principal.tenant}/audit`;
    const options = listOptions(name, query);
    if (!options.ok) return problem(c, options.error);
    const owner = agent?.value ?? coreObject(c.env, c.var.principal.tenant);
    const entries = await answer(owner.audit({ ...options.value, action, from }));
    return reply(c, views(sealed(name, entries)), 200);
  });

  app.openapi(verify, async (c) => {
    const { agentId } = c.req.valid("query");
    const owner = agentId === undefined ? ok(coreObject(c.env, c.var.principal.tenant)) : agentOf(c, agentId);
    if (!owner.ok) return problem(c, owner.error);
    return reply(c, await answer(owner.value.verify(), LIMITS.bulkRpcMs), 200);
  });
}

function agentOf(c: AppContext, agentId: string): Result<AgentObject> {
  const { tenant } = c.var.principal;
  if (!isAgentIdOf(tenant, agentId, systemHash)) return err("not_found", "There is no such agent.");
  return ok(agentObject(c.env, tenant, agentId));
}

function views(entries: Result<Listing<LogEntry>>): Result<Listing<z.output<typeof auditEntry>>> {
  if (!entries.ok) return entries;
  return ok({ items: entries.value.items.map(view), nextCursor: entries.value.nextCursor });
}

function view({ kind, at, ...entry }: LogEntry): z.output<typeof auditEntry> {
  return { ...entry, at: new Date(at).toISOString(), action: kind };
}
