import type { Log, LogEntry } from "./log.ts";

/** The audit trail: the log seen by those who look for one kind of act, or for what came after an instant. */
export interface AuditQuery {
  limit: number;
  /** Sequence number of the last entry seen. */
  cursor?: string | undefined;
  /** An action such as `call.end`, or a family of them: `call.` */
  action?: string | undefined;
  /** RFC 3339, inclusive. */
  from?: string | undefined;
}

/** At most `limit` entries, oldest first. */
export function auditPage(log: Log, query: AuditQuery): { items: LogEntry[]; nextCursor: string | null } {
  const from = query.from === undefined ? 0 : Date.parse(query.from);
  return log.page(query.limit, Number(query.cursor ?? 0), { kind: query.action, from });
}

export interface Judgement {
  /** What was acted on: an id or a path. Null = the object itself. */
  target: string | null;
  decision: "allowed" | "denied";
  /** Null where no rule had to decide. */
  reason: string | null;
}

/** In this order: an entry may name several ids, and the first that it has is what the act was about. */
const TARGETS = [
  "object",
  "keyId",
  "batchId",
  "approvalId",
  "pageId",
  "path",
  "messageId",
  "agentId",
  "route",
  "name",
] as const;
const DENIALS: readonly string[] = ["agent.refused", "quota.spent", "request.denied"];

/** What an entry says of its act. A call that was let in and then failed was allowed. */
export function judgementOf({ kind, data }: Pick<LogEntry, "kind" | "data">): Judgement {
  const isDenied = data["decision"] === "denied" || DENIALS.includes(kind);
  const target = TARGETS.map((name) => data[name]).find((value) => typeof value === "string");
  return {
    target: typeof target === "string" ? target : null,
    decision: isDenied ? "denied" : "allowed",
    reason: reasonOf(data),
  };
}

function reasonOf({ reason, capability, level, metric, subject }: Record<string, unknown>): string | null {
  if (typeof reason === "string") return reason;
  if (typeof capability === "string") return `${String(level)} may ${capability}`;
  return typeof metric === "string" && typeof subject === "string" ? `${metric} of ${subject}` : null;
}
