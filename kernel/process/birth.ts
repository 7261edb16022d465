import type { IdPorts } from "../id.ts";
import { newAgentId } from "../id.ts";
import { LIMITS } from "../limits.ts";
import { NO_BILL } from "../platform/platform-bill.ts";
import { LABELS, labelText } from "../security/label.ts";
import type { ControlBlock } from "./block.ts";
import { metersOf } from "./meters.ts";
import type { ProcessRow } from "./process-store.ts";
import type { ProcessSpec } from "./spec.ts";

/** How a process begins: its first row, and the block that stands for it until its object has reported. */

/** An accepted spec with everything decided: what the core keeps and the agent's object is born from. */
export interface Birth {
  id: string;
  tenant: string;
  spec: ProcessSpec;
  /** `provider/model`, resolved from the default when the spec named none. */
  model: string;
  /** The list that the model is chosen from, as routing.ts keeps it; null or, from an older core, absent = always this model. */
  routing?: string | null;
  /** The model's window, which the process's own does not exceed. */
  contextTokens: number;
  actor: string;
  createdAt: number;
}

export function newBirth(facts: Omit<Birth, "id" | "createdAt">, ports: IdPorts): Birth {
  return { ...facts, id: newAgentId(facts.tenant, ports), createdAt: ports.clock.now() };
}

export function firstRow(
  { id, tenant, spec, model, routing, contextTokens, createdAt }: Birth,
  version: string,
): ProcessRow {
  return {
    id,
    tenant,
    name: spec.name,
    role: spec.role,
    goal: spec.goal,
    instructions: spec.instructions ?? "",
    model,
    routing: routing ?? null,
    lane: spec.lane ?? "interactive",
    priority: spec.priority ?? LIMITS.priorityDefault,
    permission_level: spec.permissionLevel ?? "STANDARD",
    daemon: spec.daemon === true ? 1 : 0,
    parent_id: spec.parentId ?? null,
    tools: spec.tools === undefined ? null : JSON.stringify(spec.tools),
    quotas: JSON.stringify(spec.quotas ?? {}),
    grants: JSON.stringify(spec.grants ?? {}),
    denials: JSON.stringify(spec.denials ?? {}),
    asks: JSON.stringify(spec.approvals?.tools ?? []),
    label: labelText(LABELS.orders),
    stripped: 0,
    window_tokens: Math.min(spec.context?.windowTokens ?? LIMITS.windowTokens, contextTokens),
    page_tokens: spec.context?.pageTokens ?? LIMITS.pageTokens,
    replacement: spec.context?.replacement ?? "lru",
    max_output_tokens: spec.maxOutputTokens ?? LIMITS.maxOutputTokens,
    deadline_at: spec.deadline === undefined ? null : Date.parse(spec.deadline),
    state: "new",
    wait_reason: null,
    stop_reason: null,
    exit_code: null,
    exit_reason: null,
    result: null,
    last_error: null,
    pending_signal: null,
    turn_message_id: null,
    turn_step: 0,
    turn_attempt: 0,
    fence: 0,
    retry_at: null,
    retries: 0,
    deaths: 0,
    deaths_version: version,
    cut_call: null,
    prompt_tokens: 0,
    cached_tokens: 0,
    completion_tokens: 0,
    cost_nano_usd: 0,
    steps: 0,
    tool_calls: 0,
    cpu_ms: 0,
    platform: null,
    standing: null,
    exported_seq: 0,
    erased_at: null,
    created_at: createdAt,
    updated_at: createdAt,
  };
}

/** The block of a process that was accepted a moment ago. */
export function newborn(birth: Birth): ControlBlock {
  const row = firstRow(birth, "");
  const at = new Date(birth.createdAt).toISOString();
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    goal: row.goal,
    model: row.model,
    state: "new",
    waitReason: null,
    stopReason: null,
    priority: row.priority,
    permissionLevel: row.permission_level,
    approvals: { tools: birth.spec.approvals?.tools ?? [] },
    tools: birth.spec.tools ?? null,
    grants: birth.spec.grants ?? {},
    denials: birth.spec.denials ?? {},
    lane: row.lane,
    daemon: row.daemon === 1,
    parentId: row.parent_id,
    exit: null,
    result: null,
    lastError: null,
    usage: {
      promptTokens: 0,
      cachedTokens: 0,
      completionTokens: 0,
      costNanoUsd: 0,
      costUsd: "0.00",
      steps: 0,
      toolCalls: 0,
      platform: NO_BILL,
    },
    context: {
      windowTokens: row.window_tokens,
      residentTokens: 0,
      hotPages: 0,
      warmPages: 0,
      coldPages: 0,
      minorFaults: 0,
      majorFaults: 0,
      evictions: 0,
    },
    quotas: metersOf(row, {}),
    createdAt: at,
    updatedAt: at,
  };
}
