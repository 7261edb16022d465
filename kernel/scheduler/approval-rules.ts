import * as z from "zod";
import { err, ok, type Result } from "../errors.ts";
import { newId } from "../id.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Random, Sql, SqlRow } from "../ports.ts";

/**
 * Sticky answers: a rule says yes or no to a kind of action in a person's place. The core keeps them and agents ask it before each
 * call that needs a consent, so a rule that is taken away counts for nothing from the next call on. Rules answer questions; they
 * widen no level and no grant. Of two that fit, the one that says no counts.
 */

/** Whose actions: one agent's, its and those of all below it, or all of the tenant. */
export const RULE_SCOPES = ["agent", "subtree", "tenant"] as const;
export type RuleScope = (typeof RULE_SCOPES)[number];
/** Which: every call of the tool, those to one host, or those with exactly one input. */
export const RULE_KINDS = ["tool", "host", "exact"] as const;
export type RuleKind = (typeof RULE_KINDS)[number];

export const approvalRule = z.object({
  id: z.string(),
  decision: z.enum(["approve", "deny"]),
  scope: z.enum(RULE_SCOPES),
  /** Null for the scope `tenant`. */
  agentId: z.string().nullable(),
  tool: z.string(),
  for: z.enum(RULE_KINDS),
  /** The host; or SHA-256 of the input as it runs; null for `tool`. */
  value: z.string().nullable(),
  /** RFC 3339; null = until it is deleted. */
  until: z.iso.datetime().nullable(),
  note: z.string().nullable(),
  /** Who made it: `key:<id>`. */
  by: z.string(),
  createdAt: z.iso.datetime(),
});
export type ApprovalRule = z.infer<typeof approvalRule>;

/** A rule as it is asked for. */
export const ruleSpec = z
  .strictObject({
    decision: z.enum(["approve", "deny"]),
    scope: z.enum(RULE_SCOPES),
    agentId: z.string().max(LIMITS.nameChars).optional(),
    tool: z.string().min(1).max(LIMITS.nameChars),
    for: z.enum(RULE_KINDS),
    host: z.string().min(1).max(LIMITS.urlChars).optional(),
    canonicalSha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, "64 hexadecimal digits, as an approval shows them")
      .optional(),
    until: z.iso.datetime({ offset: true }).optional(),
    note: z.string().max(LIMITS.noteChars).optional(),
  })
  .refine(({ scope, agentId }) => (scope === "tenant") === (agentId === undefined), {
    path: ["agentId"],
    message: "the scopes agent and subtree name one, and tenant names none",
  })
  .refine((rule) => (rule.for === "host") === (rule.host !== undefined), {
    path: ["host"],
    message: "goes with `for: host`, and only with that",
  })
  .refine((rule) => (rule.for === "exact") === (rule.canonicalSha256 !== undefined), {
    path: ["canonicalSha256"],
    message: "goes with `for: exact`, and only with that",
  });
export type RuleSpec = z.infer<typeof ruleSpec>;

/** The action that a rule is looked for. */
export interface Asked {
  tool: string;
  host: string | null;
  canonicalSha256: string;
  /** Asked because of what the agent has read: only a yes to this host or exactly this input answers that. */
  narrow: boolean;
}

export interface RuleWord {
  ruleId: string;
  decision: "approve" | "deny";
}

interface RuleRow extends SqlRow {
  id: string;
  decision: "approve" | "deny";
  scope: RuleScope;
  agent_id: string | null;
  tool: string;
  kind: RuleKind;
  value: string | null;
  until_at: number | null;
  note: string | null;
  actor: string;
  created_at: number;
}

const ADD = `INSERT INTO approval_rules (id, decision, scope, agent_id, tool, kind, value, until_at, note, actor, created_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const COUNT = "SELECT count(*) AS n FROM approval_rules";
const GET = "SELECT * FROM approval_rules WHERE id = ?";
const LIST = "SELECT * FROM approval_rules WHERE id > ? ORDER BY id LIMIT ?";
const OF_TOOL = "SELECT * FROM approval_rules WHERE tool = ? AND (until_at IS NULL OR until_at > ?)";
const DELETE = "DELETE FROM approval_rules WHERE id = ?";
const FORGET = "DELETE FROM approval_rules WHERE agent_id = ?";
const PRUNE = "DELETE FROM approval_rules WHERE until_at <= ?";

export class ApprovalRules {
  readonly #ports: { sql: Sql; clock: Clock; random: Random };

  constructor(ports: { sql: Sql; clock: Clock; random: Random }) {
    this.#ports = ports;
  }

  /** `quota_exceeded` when the tenant has as many as it may have. */
  add(spec: RuleSpec, actor: string): Result<ApprovalRule> {
    const { sql, clock } = this.#ports;
    sql.run(PRUNE, clock.now());
    if ((sql.first<{ n: number }>(COUNT)?.n ?? 0) >= LIMITS.approvalRules)
      return err("quota_exceeded", `There are ${LIMITS.approvalRules} rules about approvals; delete some first.`);
    const row = rowOf(spec, newId("rule", this.#ports), actor, clock.now());
    sql.run(ADD, ...Object.values(row));
    return ok(viewOf(row));
  }

  get(id: string): ApprovalRule | null {
    const row = this.#ports.sql.first<RuleRow>(GET, id);
    return row === undefined ? null : viewOf(row);
  }

  /** In the order in which they were made; the cursor is the last one's id. */
  list(after: string, limit: number): ApprovalRule[] {
    return this.#ports.sql.all<RuleRow>(LIST, after, limit).map(viewOf);
  }

  delete(id: string): void {
    this.#ports.sql.run(DELETE, id);
  }

  /** An erased agent has no rules. */
  forget(agentId: string): void {
    this.#ports.sql.run(FORGET, agentId);
  }

  /** What the rules say of an action of the agent, whose ancestors are given; null = nothing. */
  judge(agentId: string, ancestors: readonly string[], asked: Asked): RuleWord | null {
    const rows = this.#ports.sql.all<RuleRow>(OF_TOOL, asked.tool, this.#ports.clock.now());
    const fit = rows.filter((row) => isAbout(row, agentId, ancestors) && fits(row, asked));
    const row = fit.find(({ decision }) => decision === "deny") ?? fit[0];
    return row === undefined ? null : { ruleId: row.id, decision: row.decision };
  }
}

function isAbout({ scope, agent_id: about }: RuleRow, agentId: string, ancestors: readonly string[]): boolean {
  if (scope === "tenant") return true;
  return about === agentId || (scope === "subtree" && about !== null && ancestors.includes(about));
}

function fits({ kind, value, decision }: RuleRow, { host, canonicalSha256, narrow }: Asked): boolean {
  if (kind === "host") return host !== null && value === host;
  if (kind === "exact") return value === canonicalSha256;
  return !narrow || decision === "deny";
}

function rowOf(spec: RuleSpec, id: string, actor: string, now: number): RuleRow {
  return {
    id,
    decision: spec.decision,
    scope: spec.scope,
    agent_id: spec.agentId ?? null,
    tool: spec.tool,
    kind: spec.for,
    value: spec.host ?? spec.canonicalSha256 ?? null,
    until_at: spec.until === undefined ? null : Date.parse(spec.until),
    note: spec.note ?? null,
    actor,
    created_at: now,
  };
}

function viewOf(row: RuleRow): ApprovalRule {
  return {
    id: row.id,
    decision: row.decision,
    scope: row.scope,
    agentId: row.agent_id,
    tool: row.tool,
    for: row.kind,
    value: row.value,
    until: row.until_at === null ? null : new Date(row.until_at).toISOString(),
    note: row.note,
    by: row.actor,
    createdAt: new Date(row.created_at).toISOString(),
  };
}
