import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import type { Listing } from "../../../durable-objects/agent/rpc.ts";
import { systemHash } from "../../../durable-objects/ports.ts";
import { err, ok, type Result } from "../../../kernel/errors.ts";
import { isAgentIdOf } from "../../../kernel/id.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { judgementOf } from "../../../kernel/log/audit.ts";
import type { LogEntry } from "../../../kernel/log/log.ts";
import { trailReport } from "../../../kernel/log/verification.ts";
import { type AgentObject, agentObject, answer, coreObject } from "../../objects.ts";
import { exportStream } from "../audit/export-stream.ts";
import { auditKeyOf, Trail } from "../audit/trail.ts";
import { actorOf } from "../authenticate.ts";
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
    target: z.string().nullable().meta({ description: "What was acted on; null = the agent or tenant itself." }),
    decision: z.enum(["allowed", "denied"]),
    reason: z.string().nullable().meta({ description: "Why it was allowed or denied, where a rule decided." }),
    data: z.record(z.string(), z.unknown()),
    hash: z.string(),
  })
  .meta({ id: "AuditEntry" });

const auditKey = z
  .object({
    keyId: z
      .string()
      .nullable()
      .meta({ description: "`ed25519:...` or `hmac:...`; null when checkpoints are not signed." }),
    publicKey: z.string().nullable().meta({ description: "PEM, with which anybody verifies; null for a passphrase." }),
  })
  .meta({ id: "AuditKey" });

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
  summary: "Verify a hash chain, its exported segments and its checkpoints",
  description:
    "Recomputes the chain from its first entry, and compares the log, the segments in R2 and the checkpoints in D1 with each other. Of an erased agent what was exported is verified.",
  request: { query: z.object({ agentId }) },
  responses: { 200: json(trailReport.meta({ id: "TrailReport" }), "Whether it is whole."), ...failures },
});

const exportFile = createRoute({
  method: "get",
  path: "/v1/audit/export",
  security: needs("viewer"),
  tags,
  summary: "A whole trail as one file",
  description:
    "JSON Lines: entries, with `data` as the text that was hashed, and the checkpoints that cover them. `aos audit verify --file` verifies it without the kernel. A last line without `end` says that the file was cut.",
  request: { query: z.object({ agentId }) },
  responses: {
    200: { content: { "application/jsonl": { schema: z.string() } }, description: "The file." },
    ...failures,
  },
});

const showKey = createRoute({
  method: "get",
  path: "/v1/audit/key",
  security: needs("viewer"),
  tags,
  summary: "The key that signs checkpoints",
  responses: { 200: json(auditKey, "Never the secret half."), ...failures },
});

const checkpoint = createRoute({
  method: "post",
  path: "/v1/audit/checkpoints",
  security: needs("operator"),
  tags,
  summary: "Export and sign now what has changed",
  description: `The kernel does so by itself every ${LIMITS.auditPeriodMs / 60_000} minutes when something has changed.`,
  responses: { 204: { description: "It is done, as far as one round comes." }, ...failures },
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
    const trail = await Trail.of(c.env, c.var.principal.tenant, c.req.valid("query").agentId);
    return reply(c, trail.ok ? await trail.value.verify() : trail, 200);
  });

  // A body that is no JSON: the definition is for the reference, the route stands by hand.
  app.openAPIRegistry.registerPath(exportFile);
  app.get("/v1/audit/export", sendExport);

  app.openapi(showKey, async (c) => {
    const key = await auditKeyOf(c.env);
    if (!key.ok) return problem(c, key.error);
    return c.json({ keyId: key.value?.id ?? null, publicKey: key.value?.publicKey ?? null }, 200);
  });

  app.openapi(checkpoint, async (c) => {
    const { principal } = c.var;
    const done = await answer(coreObject(c.env, principal.tenant).checkpoint(actorOf(principal)), LIMITS.bulkRpcMs);
    return done.ok ? c.body(null, 204) : problem(c, done.error);
  });
}

async function sendExport(c: AppContext): Promise<Response> {
  const agentId = c.req.query("agentId");
  const [trail, key] = await Promise.all([
    Trail.of(c.env, c.var.principal.tenant, agentId === "" ? undefined : agentId),
    auditKeyOf(c.env),
  ]);
  if (!trail.ok) return problem(c, trail.error);
  if (!key.ok) return problem(c, key.error);
  const name = `audit-${trail.value.tenant}-${trail.value.object}.jsonl`;
  return c.body(exportStream(trail.value, key.value), 200, {
    "Content-Type": "application/jsonl; charset=utf-8",
    "Content-Disposition": `attachment; filename="${name}"`,
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

function view(entry: LogEntry): z.output<typeof auditEntry> {
  const { kind, at, ...rest } = entry;
  return { ...rest, at: new Date(at).toISOString(), action: kind, ...judgementOf(entry) };
}
