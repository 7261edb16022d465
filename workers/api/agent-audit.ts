import type { Listing, ListOptions } from "../../durable-objects/agent/rpc.ts";
import { ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { LogEntry } from "../../kernel/log/log.ts";
import { type AgentObject, answer } from "../objects.ts";

/**
 * An agent's log as an audit list. The object reads its log by sequence number only, so the filters work here, over a
 * bounded number of entries a page: a page may hold fewer than `limit` although more follow.
 */

export interface AuditFilter {
  action?: string | undefined;
  /** RFC 3339 UTC, inclusive. */
  from?: string | undefined;
}

export async function agentAudit(
  agent: AgentObject,
  options: ListOptions,
  filter: AuditFilter,
): Promise<Result<Listing<LogEntry>>> {
  const items: LogEntry[] = [];
  let after = Number(options.cursor ?? 0);
  for (let scanned = 0; scanned < LIMITS.auditScanRows; ) {
    const batch = await answer(agent.log({ after, limit: LIMITS.eventReplayRows }));
    if (!batch.ok) return batch;
    const { entries, head } = batch.value;
    for (const entry of entries) {
      after = entry.seq;
      if (fits(entry, filter)) items.push(entry);
      if (items.length === options.limit) return ok(page(items, after, head));
    }
    if (entries.length === 0 || after >= head) return ok({ items, nextCursor: null });
    scanned += entries.length;
  }
  return ok({ items, nextCursor: String(after) });
}

function page(items: LogEntry[], after: number, head: number): Listing<LogEntry> {
  return { items, nextCursor: after < head ? String(after) : null };
}

function fits(entry: LogEntry, { action, from }: AuditFilter): boolean {
  if (action !== undefined && entry.kind !== action) return false;
  return from === undefined || entry.at >= Date.parse(from);
}
