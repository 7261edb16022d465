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
