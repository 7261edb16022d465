import type { KernelError } from "../errors.ts";
import { callIdOf } from "../id.ts";
import { LIMITS } from "../limits.ts";
import type { ChatReply, ToolCall, ToolDefinition } from "../llm/chat.ts";
import { costNanoUsd } from "../llm/pricing.ts";
import type { ChatOutcome, ModelPrice } from "../llm/provider.ts";
import { type GrantReply, type Settlement, UNUSED } from "../scheduler/grant.ts";
import type { Bounds } from "./call-input.ts";
import { cutCall, startOver } from "./cut-call.ts";
import type { AgentParts } from "./parts.ts";
import { MODEL_CALL, type PendingCall } from "./pending.ts";
import { hasWork, type Prepared } from "./prepare.ts";
import { readPrompt } from "./provenance.ts";
import { isUnavailable, passOver } from "./routing.ts";
import { endTurn, failed } from "./turn.ts";

/**
 * The two transactions around a model call, the same in both lanes: `openCall` before it, `closeCall` after it. Whoever took
 * the pending row away in between has settled the call, and a second outcome finds nothing to close.
 */

export type Granted = Extract<GrantReply, { kind: "granted" }>;

/** How a lane enters the call that it opens. */
export type Opening = Pick<PendingCall, "state" | "attempt" | "deadline_at"> & { input: Bounds };

/** What closing a call needs to know of it. */
export interface OpenCall {
  callId: string;
  price: ModelPrice;
  reservedNanoUsd: number;
  estimatedTokens: number;
  tools: ToolDefinition[];
  /** The call whose reply this one shares, and which pays for both. */
  joinedTo?: string | undefined;
}

type Refusal = Extract<ChatOutcome, { ok: false }>;

/**
 * The transaction before the call; `begin` moves the process on in it. False when the process must not call any more: the
 * grant is given back unused.
 */
export function openCall(parts: AgentParts, prepared: Prepared, opening: Opening, begin: () => void): boolean {
  const { clock, log, pending, process, tx } = parts;
  const { callId } = prepared;
  return tx.run(() => {
    const row = process.get();
    if (!hasWork(parts) || row.pending_signal !== null) {
      const data = { name: MODEL_CALL, step: row.steps + 1, ok: false, code: "cancelled", settlement: UNUSED };
      log.append("call.end", "kernel", data, callId);
      // The next try is another call: this one's money is given back.
      if (row.turn_message_id !== null) process.change({ turn_attempt: row.turn_attempt + 1 });
      return false;
    }
    pending.put({
      ...opening,
      call_id: callId,
      name: MODEL_CALL,
      effect: "external",
      message_id: row.turn_message_id ?? "",
      step: row.steps + 1,
      tool_call_id: null,
      position: 0,
      fence: row.fence,
      input: JSON.stringify(opening.input),
      outcome: null,
      started_at: clock.now(),
    });
    const { reservedNanoUsd, maxOutputTokens } = opening.input;
    const data = {
      name: MODEL_CALL,
      step: row.steps + 1,
      messageId: row.turn_message_id,
      model: row.model,
      attempt: row.turn_attempt + 1,
      promptTokens: prepared.estimatedTokens,
      ...continued(prepared),
    };
    log.append("call.start", `agent:${row.id}`, { ...data, reservedNanoUsd, maxOutputTokens }, callId);
    readPrompt(parts, prepared.shown);
    begin();
    return true;
  });
}

/** What the journal says of a call that comes after one that a crash cut. */
function continued({ grant: { resumedFrom, restartedFrom } }: Prepared) {
  if (resumedFrom !== undefined) return { resumedFrom };
  return restartedFrom === undefined ? {} : { restartedFrom };
}

/** The transaction after the call. */
export function closeCall(parts: AgentParts, call: OpenCall, outcome: ChatOutcome): void {
  if (parts.pending.get(call.callId) === null) return;
  parts.pending.delete(call.callId);
  if (outcome.ok) replied(parts, call, outcome.reply);
  else refused(parts, call, outcome);
}

/** What the bill of a call depends on, whatever was asked for. */
export type Billed = { ok: true; reply: Pick<ChatReply, "usage"> } | Refusal;

/** How the call's outcome stands in the ledger. A joined call is free: the one that it shares pays. */
export function settlementOf(
  outcome: Billed,
  call: Pick<OpenCall, "price" | "reservedNanoUsd" | "joinedTo">,
  now: number,
): Omit<Settlement, "callId"> {
  if (call.joinedTo !== undefined) return UNUSED;
  const usage = outcome.ok ? outcome.reply.usage : outcome.usage;
  if (usage !== undefined) return { state: "settled", usage, costNanoUsd: costNanoUsd(usage, call.price, now) };
  return !outcome.ok && outcome.billed === "unknown"
    ? { state: "unknown", usage: null, costNanoUsd: call.reservedNanoUsd }
    : UNUSED;
}

function replied(parts: AgentParts, call: OpenCall, reply: ChatReply): void {
  const row = parts.process.get();
  const settlement = settlementOf({ ok: true, reply }, call, parts.clock.now());
  parts.context.calibrate(call.estimatedTokens, reply.usage.promptTokens, call.tools);
  parts.process.change({
    steps: row.steps + 1,
    prompt_tokens: row.prompt_tokens + (settlement.usage?.promptTokens ?? 0),
    cached_tokens: row.cached_tokens + (settlement.usage?.cachedTokens ?? 0),
    completion_tokens: row.completion_tokens + (settlement.usage?.completionTokens ?? 0),
    cost_nano_usd: row.cost_nano_usd + settlement.costNanoUsd,
    turn_attempt: 0,
    retries: 0,
    deaths: 0,
    cut_call: null,
  });
  const toolCalls = reply.toolCalls.slice(0, LIMITS.toolCallsPerStep);
  const data = {
    name: MODEL_CALL,
    step: row.steps + 1,
    ok: true,
    finishReason: reply.finishReason,
    toolCalls: toolCalls.length,
    ...(call.joinedTo === undefined ? {} : { joinedTo: call.joinedTo }),
  };
  parts.log.append("call.end", `agent:${row.id}`, { ...data, settlement, price: call.price.version }, call.callId);
  if (toolCalls.length > 0) queueTools(parts, call.callId, reply, toolCalls);
  else endTurn(parts, endOf(reply));
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

/**
 * A vendor's error is no death: it backs off until the message's deadline, then the message fails. This pause is the request's
 * own; where the whole account has one, the core ends it as soon as the vendor answers again.
 */
function refused(parts: AgentParts, call: OpenCall, outcome: Refusal): void {
  const row = parts.process.get();
  const settlement = settlementOf(outcome, call, parts.clock.now());
  const { code, retryAfterMs } = outcome.error;
  const data = { name: MODEL_CALL, step: row.steps + 1, ok: false, code, settlement };
  const asked = retryAfterMs === undefined ? {} : { retryAfterMs };
  parts.log.append("call.end", `agent:${row.id}`, { ...data, ...asked }, call.callId);
  parts.process.change({
    cost_nano_usd: row.cost_nano_usd + settlement.costNanoUsd,
    turn_attempt: row.turn_attempt + 1,
    deaths: 0,
  });
  if (refusedPrefill(parts, outcome)) return;
  if (isUnavailable(outcome.error, row.retries) && hasWork(parts) && passOver(parts, code)) return;
  const retryAt = parts.clock.now() + backoffMs(parts, outcome.error, row.retries);
  if (!outcome.retryable || retryAt > messageDeadline(parts)) return endTurn(parts, failed(outcome.error));
  if (!hasWork(parts)) return;
  parts.process.transition(
    { to: "waiting", reason: "llm" },
    { retry_at: retryAt, retries: row.retries + 1, last_error: outcome.error.message },
  );
}

/** A vendor that does not go on from the reply that a crash cut is asked for all of it, at once. */
function refusedPrefill(parts: AgentParts, { error }: Refusal): boolean {
  const row = parts.process.get();
  const cut = cutCall(row);
  if (cut === null || cut.content === "" || error.code !== "provider_rejected" || !hasWork(parts)) return false;
  parts.process.change({ cut_call: startOver(cut) });
  return true;
}

/** Exponential with full jitter, at least what the vendor asked for. */
function backoffMs(parts: AgentParts, error: KernelError, retries: number): number {
  const ceiling = Math.min(LIMITS.backoffMaxMs, LIMITS.backoffBaseMs * 2 ** Math.min(retries, 20));
  const [byte = 0] = parts.random.bytes(1);
  return Math.max(error.retryAfterMs ?? 0, Math.ceil((ceiling * (byte + 1)) / 256));
}

/** When the message that the turn works on fails for want of a vendor. */
export function messageDeadline(parts: AgentParts): number {
  const { turn_message_id: id, deadline_at: deadlineAt, lane } = parts.process.get();
  const accepted = (id === null ? null : parts.mailbox.get(id))?.created_at ?? 0;
  const patienceMs = lane === "economy" ? LIMITS.economyCallMs + LIMITS.messageMs : LIMITS.messageMs;
  return Math.min(accepted + patienceMs, deadlineAt ?? Number.POSITIVE_INFINITY);
}
