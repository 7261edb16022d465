import type { ErrorCode } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { outcomeOf } from "../llm/gate/outcome.ts";
import type { LogEntry } from "../log/log.ts";
import { platformBillOf } from "../platform/platform-bill.ts";
import type { AgentReport, OpenQuestion, Settlement } from "../scheduler/grant.ts";
import { type ControlBlock, usd } from "./block.ts";
import { consentQuestion } from "./consent.ts";
import { awaitedCpuMs, cpuHeldMs } from "./cpu-count.ts";
import { dueInMs } from "./due.ts";
import { metersOf } from "./meters.ts";
import { approvalOf } from "./parking.ts";
import type { AgentParts } from "./parts.ts";
import { MODEL_CALL, type PendingCall } from "./pending.ts";
import type { Denials, Grants } from "./spec.ts";

/**
 * What the core is told, read off the log: the outbox is a cursor on it. A report that was lost is made again from the
 * old cursor, and the core takes each settlement once.
 */

/** Reports everything after `exported_seq`, at most `LIMITS.exportRows` entries at a time. `more` = there are others. */
export function reportOf(parts: AgentParts): { report: AgentReport; more: boolean } {
  const row = parts.process.get();
  const entries = parts.log.after(row.exported_seq, LIMITS.exportRows);
  const newest = entries.at(-1);
  const seq = newest?.seq ?? row.exported_seq;
  return {
    more: seq < parts.log.head().seq,
    report: {
      agentId: row.id,
      seq,
      ...(newest === undefined ? {} : { head: newest.hash }),
      block: blockOf(parts),
      settlements: entries.flatMap(settlementOf),
      segments: entries.filter((entry) => entry.kind === "page.segment").map((entry) => entry.data),
      questions: openQuestions(parts),
      dueInMs: dueInMs(parts),
      stored: parts.stored(),
      platform: parts.platform(),
      cpuMs: row.cpu_ms,
      awaitedCpuMs: awaitedCpuMs(parts),
    },
  };
}

/** The process control block, as of now; the rows that are read for it are on the bill. */
export function blockOf(parts: AgentParts): ControlBlock {
  const row = parts.process.get();
  const context = parts.context.stats();
  const quotas = metersOf(row, {
    stored: parts.stored(),
    now: parts.clock.now(),
    cpuHeldMs: () => cpuHeldMs(parts),
  });
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    goal: row.goal,
    model: row.model,
    state: row.state,
    waitReason: row.wait_reason,
    stopReason: row.stop_reason,
    priority: row.priority,
    permissionLevel: row.permission_level,
    approvals: { tools: JSON.parse(row.asks) as string[] },
    tools: row.tools === null ? null : (JSON.parse(row.tools) as string[]),
    grants: JSON.parse(row.grants) as Grants,
    denials: JSON.parse(row.denials) as Denials,
    lane: row.lane,
    daemon: row.daemon === 1,
    parentId: row.parent_id,
    exit: row.exit_reason === null ? null : { code: row.exit_code ?? 0, reason: row.exit_reason },
    result: row.result,
    lastError: row.last_error,
    usage: {
      promptTokens: row.prompt_tokens,
      cachedTokens: row.cached_tokens,
      completionTokens: row.completion_tokens,
      costNanoUsd: row.cost_nano_usd,
      costUsd: usd(row.cost_nano_usd),
      steps: row.steps,
      toolCalls: row.tool_calls,
      platform: platformBillOf(parts.platform()),
    },
    context,
    quotas,
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
  };
}

/** The question's id is its call's, under another prefix, so that neither side has to remember which is which. */
export function questionIdOf(callId: string): string {
  return callId.replace(/^call_/, "apr_");
}

function openQuestions(parts: AgentParts): OpenQuestion[] {
  return parts.pending.all().flatMap((call) => {
    if (call.state === "parked") return [approvalOf(parts, call)];
    if (call.state === "held") return [consentQuestion(parts, call)];
    return call.state === "waiting" ? [questionOf(call)] : [];
  });
}

function questionOf(call: PendingCall): OpenQuestion {
  const { question, options } = JSON.parse(call.input) as { question: string; options?: string[] };
  return {
    id: questionIdOf(call.call_id),
    callId: call.call_id,
    kind: "question",
    question,
    options: options ?? null,
    action: null,
    createdAt: call.started_at,
    expiresAt: null,
  };
}

function settlementOf(entry: LogEntry): Settlement[] {
  if (entry.kind !== "call.end" || entry.data["name"] !== MODEL_CALL || entry.callId === null) return [];
  const settlement = entry.data["settlement"] as Omit<Settlement, "callId"> | undefined;
  if (settlement === undefined) return [];
  const { ok, code, retryAfterMs } = entry.data as { ok: boolean; code?: ErrorCode; retryAfterMs?: number };
  const outcome = ok ? outcomeOf(null) : code === undefined ? null : outcomeOf(code, retryAfterMs);
  return [{ callId: entry.callId, ...settlement, ...(outcome === null ? {} : { outcome }) }];
}
