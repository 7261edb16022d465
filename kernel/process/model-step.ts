import type { Door } from "../door.ts";
import { type KernelError, unreachable } from "../errors.ts";
import { callIdOf } from "../id.ts";
import { LIMITS } from "../limits.ts";
import type { ChatReply, ChatRequest, ToolCall } from "../llm/chat.ts";
import { costNanoUsd } from "../llm/pricing.ts";
import type { ChatOutcome, ModelInfo, Provider } from "../llm/provider.ts";
import { type GrantReply, type GrantRequest, LEAST_OUTPUT_TOKENS } from "../scheduler/grant.ts";
import { toolDefinitions } from "../tools/definitions.ts";
import type { AgentParts } from "./parts.ts";
import { MODEL_CALL } from "./pending.ts";
import { reportOf } from "./report.ts";
import { endTurn, failed } from "./turn.ts";

/**
 * One model call of a turn: page in what the newest input needs, assemble the prompt, ask the core for money and a slot,
 * call, record. The call's id follows from its message, step and attempt, so that asking again after a crash asks for the
 * same grant. Between the transaction before the call and the one after it lies one `await` and nothing else.
 */

/** Bounds of a call, kept in `pending.input` while it is under way. */
type Bounds = { reservedNanoUsd: number; maxOutputTokens: number };
type Granted = Extract<GrantReply, { kind: "granted" }>;
type Prepared = {
  callId: string;
  provider: Provider;
  info: ModelInfo;
  request: ChatRequest;
  grant: GrantRequest;
  estimatedTokens: number;
};

/** What the loop does next. */
export type Next = "again" | "rest";

export async function modelStep(parts: AgentParts, door: Door, abort: AbortSignal): Promise<Next> {
  if (parts.process.get().turn_step === 0) await pageIn(parts);
  if (!hasWork(parts)) return "again";
  const prepared = prepare(parts, door);
  if ("code" in prepared) {
    parts.tx.run(() => endTurn(parts, failed(prepared)));
    return "again";
  }
  const { report } = reportOf(parts);
  const reply = await parts.core.settleAndGrant(report, prepared.grant);
  if (reply !== null) parts.process.change({ exported_seq: report.seq });
  if (reply?.kind === "granted") return await call(parts, prepared, reply, abort);
  parts.tx.run(() => notGranted(parts, reply));
  return "rest";
}

/** Demand paging: what the turn's message needs is searched over all tiers and faulted in. */
async function pageIn(parts: AgentParts): Promise<void> {
  const row = parts.process.get();
  const message = row.turn_message_id === null ? null : parts.mailbox.get(row.turn_message_id);
  if (message === null) return;
  const budget = { tokens: Math.floor(row.window_tokens * LIMITS.demandPagingShare), ms: LIMITS.demandPagingMs };
  await parts.context.pageIn(message.content, budget);
}

/** False when a signal, a cancellation or an eviction of the turn came in while we waited. */
function hasWork(parts: AgentParts): boolean {
  const row = parts.process.get();
  return row.turn_message_id !== null && row.state !== "stopped" && row.state !== "terminated";
}

function prepare(parts: AgentParts, door: Door): Prepared | KernelError {
  const row = parts.process.get();
  const found = parts.providers.get(row.model);
  if (!found.ok) return found.error;
  const { provider, info, model } = found.value;
  const tools = toolDefinitions(door.offered());
  const prompt = parts.context.assemble(tools);
  if (!prompt.ok) return prompt.error;
  const { messages, estimatedTokens, utf8Bytes } = prompt.value;
  const room = Math.max(LEAST_OUTPUT_TOKENS, row.window_tokens - estimatedTokens);
  const maxOutputTokens = Math.min(row.max_output_tokens, info.maxOutputTokens, room);
  const callId = callIdOf(`${row.id}/${row.turn_message_id}/${row.turn_step}/${row.turn_attempt}`, parts.hash);
  return {
    callId,
    provider,
    info,
    estimatedTokens,
    request: { model, messages, tools, maxOutputTokens, user: row.tenant },
    grant: {
      callId,
      provider: provider.name,
      model: row.model,
      price: info.price,
      inputBound: utf8Bytes,
      outputWanted: maxOutputTokens,
      deadlineMs: LIMITS.modelCallMs,
    },
  };
}

function notGranted(parts: AgentParts, reply: Exclude<GrantReply, Granted> | null): void {
  const retryAt = parts.clock.now() + (reply === null ? LIMITS.backoffBaseMs : LIMITS.requeueMs);
  if (!hasWork(parts)) return;
  if (reply === null) return parts.process.transition({ to: "ready" }, { retry_at: retryAt });
  switch (reply.kind) {
    case "queued":
      return parts.process.transition({ to: "ready" }, { retry_at: retryAt });
    case "denied": {
      const { subject, metric, limit, used, reserved } = reply;
      parts.log.append("quota.spent", "kernel", { subject, metric, limit, used, reserved });
      return parts.process.transition({ to: "waiting", reason: "quota" });
    }
    case "gone":
    case "noted":
      return parts.process.transition({ to: "terminated", exit: { code: 137, reason: "killed" }, result: null });
    default:
      return unreachable(reply);
  }
}

async function call(parts: AgentParts, prepared: Prepared, grant: Granted, abort: AbortSignal): Promise<Next> {
  if (!open(parts, prepared, grant)) return "again";
  const { callId } = prepared;
  parts.live.begin(callId);
  const request = { ...prepared.request, maxOutputTokens: grant.maxOutputTokens };
  const outcome = await prepared.provider.chat(request, {
    signal: abort,
    onDelta: (text) => parts.live.delta(callId, text),
  });
  parts.live.end(callId);
  return parts.tx.run(() => close(parts, prepared, grant, outcome));
}

/** The transaction before the call. False when the process must not call any more: the grant is given back unused. */
function open(parts: AgentParts, prepared: Prepared, grant: Granted): boolean {
  const { clock, log, pending, process, tx } = parts;
  const { callId } = prepared;
  return tx.run(() => {
    const row = process.get();
    if (!hasWork(parts) || row.pending_signal !== null) {
      const settlement = { state: "settled", usage: null, costNanoUsd: 0 };
      log.append(
        "call.end",
        "kernel",
        { name: MODEL_CALL, step: row.steps + 1, ok: false, code: "cancelled", settlement },
        callId,
      );
      return false;
    }
    const bounds: Bounds = { reservedNanoUsd: grant.reservedNanoUsd, maxOutputTokens: grant.maxOutputTokens };
    const now = clock.now();
    pending.put({
      call_id: callId,
      name: MODEL_CALL,
      effect: "external",
      state: "running",
      message_id: row.turn_message_id ?? "",
      step: row.steps + 1,
      tool_call_id: null,
      position: 0,
      attempt: row.turn_attempt + 1,
      fence: row.fence,
      input: JSON.stringify(bounds),
      outcome: null,
      started_at: now,
      deadline_at: now + LIMITS.modelCallMs,
    });
    const data = {
      name: MODEL_CALL,
      step: row.steps + 1,
      messageId: row.turn_message_id,
      model: row.model,
      attempt: row.turn_attempt + 1,
    };
    log.append("call.start", `agent:${row.id}`, { ...data, promptTokens: prepared.estimatedTokens, ...bounds }, callId);
    process.transition({ to: "running" }, { retry_at: null });
    return true;
  });
}

/** The transaction after the call. Whoever took the pending row away has settled the call: then this touches nothing. */
function close(parts: AgentParts, prepared: Prepared, grant: Granted, outcome: ChatOutcome): Next {
  if (parts.pending.get(prepared.callId) === null) return "again";
  parts.pending.delete(prepared.callId);
  return outcome.ok ? replied(parts, prepared, outcome.reply) : refused(parts, prepared, grant, outcome);
}

function replied(parts: AgentParts, prepared: Prepared, reply: ChatReply): Next {
  const row = parts.process.get();
  const { usage } = reply;
  const cost = costNanoUsd(usage, prepared.info.price, parts.clock.now());
  parts.context.calibrate(prepared.estimatedTokens, usage.promptTokens, prepared.request.tools);
  parts.process.change({
    steps: row.steps + 1,
    prompt_tokens: row.prompt_tokens + usage.promptTokens,
    cached_tokens: row.cached_tokens + usage.cachedTokens,
    completion_tokens: row.completion_tokens + usage.completionTokens,
    cost_nano_usd: row.cost_nano_usd + cost,
    turn_attempt: 0,
    retries: 0,
    deaths: 0,
  });
  const toolCalls = reply.toolCalls.slice(0, LIMITS.toolCallsPerStep);
  const settlement = { state: "settled", usage, costNanoUsd: cost };
  const data = {
    name: MODEL_CALL,
    step: row.steps + 1,
    ok: true,
    finishReason: reply.finishReason,
    toolCalls: toolCalls.length,
  };
  parts.log.append(
    "call.end",
    `agent:${row.id}`,
    { ...data, settlement, price: prepared.info.price.version },
    prepared.callId,
  );
  if (toolCalls.length > 0) queueTools(parts, prepared.callId, reply, toolCalls);
  else endTurn(parts, endOf(reply));
  return "again";
}

function endOf(reply: ChatReply) {
  if (reply.finishReason === "content_filter") {
    return failed({ code: "provider_rejected", message: "the vendor's content filter withheld the reply" });
  }
  return { state: "answered" as const, reply: reply.content };
}

/** The step goes on: the assistant's message and its calls stand in `pending` until all outcomes are there. */
function queueTools(parts: AgentParts, modelCallId: string, reply: ChatReply, toolCalls: ToolCall[]): void {
  const row = parts.process.get();
  const common = {
    message_id: row.turn_message_id ?? "",
    step: row.steps,
    fence: row.fence,
    started_at: parts.clock.now(),
    deadline_at: 0,
  };
  const spoken = { content: reply.content, reasoning: reply.reasoning, toolCalls };
  parts.pending.put({
    ...common,
    call_id: modelCallId,
    name: MODEL_CALL,
    effect: "external",
    state: "done",
    tool_call_id: null,
    position: 0,
    attempt: 1,
    input: "",
    outcome: JSON.stringify(spoken),
  });
  toolCalls.forEach((toolCall, index) => {
    parts.pending.put({
      ...common,
      call_id: callIdOf(`${modelCallId}/${index}`, parts.hash),
      name: toolCall.function.name,
      effect: "unknown",
      state: "queued",
      tool_call_id: toolCall.id,
      position: index + 1,
      attempt: 0,
      input: toolCall.function.arguments,
      outcome: null,
    });
  });
}

/** A vendor's error is no death: it backs off until the message's deadline, then the message fails. */
function refused(
  parts: AgentParts,
  prepared: Prepared,
  grant: Granted,
  outcome: Extract<ChatOutcome, { ok: false }>,
): Next {
  const row = parts.process.get();
  const unknown = outcome.billed === "unknown" && outcome.usage === undefined;
  const cost =
    outcome.usage !== undefined
      ? costNanoUsd(outcome.usage, prepared.info.price, parts.clock.now())
      : unknown
        ? grant.reservedNanoUsd
        : 0;
  const settlement = { state: unknown ? "unknown" : "settled", usage: outcome.usage ?? null, costNanoUsd: cost };
  const data = { name: MODEL_CALL, step: row.steps + 1, ok: false, code: outcome.error.code, settlement };
  parts.log.append("call.end", `agent:${row.id}`, data, prepared.callId);
  parts.process.change({ cost_nano_usd: row.cost_nano_usd + cost, turn_attempt: row.turn_attempt + 1, deaths: 0 });
  const retryAt = parts.clock.now() + backoffMs(parts, outcome.error, row.retries);
  if (!outcome.retryable || retryAt > messageDeadline(parts)) {
    endTurn(parts, failed(outcome.error));
    return "again";
  }
  if (hasWork(parts)) {
    parts.process.transition(
      { to: "waiting", reason: "llm" },
      { retry_at: retryAt, retries: row.retries + 1, last_error: outcome.error.message },
    );
  }
  return "again";
}

/** Exponential with full jitter, at least what the vendor asked for. */
function backoffMs(parts: AgentParts, error: KernelError, retries: number): number {
  const ceiling = Math.min(LIMITS.backoffMaxMs, LIMITS.backoffBaseMs * 2 ** Math.min(retries, 20));
  const [byte = 0] = parts.random.bytes(1);
  return Math.max(error.retryAfterMs ?? 0, Math.ceil((ceiling * (byte + 1)) / 256));
}

function messageDeadline(parts: AgentParts): number {
  const { turn_message_id: id, deadline_at: deadlineAt } = parts.process.get();
  const accepted = (id === null ? null : parts.mailbox.get(id))?.created_at ?? 0;
  return Math.min(accepted + LIMITS.messageMs, deadlineAt ?? Number.POSITIVE_INFINITY);
}
