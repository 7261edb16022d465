import { LIMITS } from "../limits.ts";
import { type BatchInput, batchInputOf } from "./call-input.ts";
import type { CallMessage } from "./call-message.ts";
import { withdrawCall } from "./lost-call.ts";
import { type Granted, openCall } from "./model-call.ts";
import type { Next } from "./next.ts";
import type { AgentParts } from "./parts.ts";
import type { PendingCall } from "./pending.ts";
import { granted, type Prepared } from "./prepare.ts";
import { loseCall } from "./recovery.ts";
import { endTurn, failed } from "./turn.ts";

/**
 * The loop's part of the batch lane, and of the economy lane, where an economy pool stands for the queue and its consumer: a
 * call goes into the queue and the process waits for it, its object asleep. The commit
 * comes first and the message after it, so a message may be lost but never speaks of a call that does not exist; the one
 * alarm stands at the time when the call is sent again. `batch-calls.ts` is the consumer's part.
 *
 * A call that nobody claimed had no effect, so it may be sent again. One that was claimed and not heard of any more may have
 * been billed: it is lost like a call of the interactive lane, and made again under a new id.
 */

/** Puts the granted call into the queue, and the process to waiting. */
export async function sendCall(parts: AgentParts, prepared: Prepared, grant: Granted): Promise<Next> {
  const { process, clock, pending } = parts;
  const dueAt = clock.now() + LIMITS.callResendMs;
  const opening = { state: "sent" as const, attempt: 1, deadline_at: dueAt, input: inputOf(parts, prepared, grant) };
  const wait = () => process.transition({ to: "waiting", reason: "llm" }, { retry_at: dueAt });
  if (!openCall(parts, prepared, opening, wait)) return "again";
  const call = pending.get(prepared.callId);
  if (call !== null) await parts.calls.send(messageOf(parts, call));
  return "rest";
}

/** The loop came by a call that is in the queue's hands: waits on, or does what is overdue. */
export async function awaitCall(parts: AgentParts, call: PendingCall): Promise<Next> {
  const { process, clock, tx } = parts;
  if (clock.now() < call.deadline_at) {
    tx.run(() => process.transition({ to: "waiting", reason: "llm" }, { retry_at: call.deadline_at }));
    return "rest";
  }
  if (call.state === "sent" && call.attempt < LIMITS.callSends && clock.now() < lastClaimAt(call)) {
    await sendAgain(parts, call, "kernel");
    return "rest";
  }
  if (isPooled(call) && call.state === "claimed" && clock.now() < endOf(call)) {
    await remind(parts, call);
    return "rest";
  }
  tx.run(() => (call.state === "claimed" ? loseCall(parts, call) : giveUp(parts, call)));
  return "again";
}

/** Tells the pool once more of a call that it has: it knows it, and looks at its work. */
async function remind(parts: AgentParts, call: PendingCall): Promise<void> {
  const { process, clock, pending, tx } = parts;
  const dueAt = Math.min(clock.now() + LIMITS.economyNudgeMs, endOf(call));
  tx.run(() => {
    pending.due(call.call_id, dueAt);
    process.transition({ to: "waiting", reason: "llm" }, { retry_at: dueAt });
  });
  await parts.calls.send(messageOf(parts, call));
}

/** Sends one more message for a call that nobody claimed. */
export async function sendAgain(parts: AgentParts, call: PendingCall, actor: string): Promise<void> {
  const { process, clock, log, pending, tx } = parts;
  const dueAt = Math.min(clock.now() + LIMITS.callResendMs * 2 ** call.attempt, lastClaimAt(call));
  const message = tx.run(() => {
    pending.sendAgain(call.call_id, dueAt);
    log.append("call.resend", actor, { attempt: call.attempt + 1 }, call.call_id);
    process.transition({ to: "waiting", reason: "llm" }, { retry_at: dueAt });
    return messageOf(parts, { ...call, attempt: call.attempt + 1 });
  });
  await parts.calls.send(message);
}

/** After this a claim would not leave the vendor enough time. */
export function lastClaimAt(call: PendingCall): number {
  return endOf(call) - LIMITS.claimLeastMs;
}

/** When the call is given up. */
export function endOf(call: PendingCall): number {
  return call.started_at + callMsOf(call);
}

/** An economy pool does not say that it lives: it has the call until the vendor's window is over. */
export function isPooled(call: PendingCall): boolean {
  return batchInputOf(call).pooled === true;
}

/** From reserving to the outcome, at most. */
function callMsOf(call: PendingCall): number {
  return batchInputOf(call).callMs ?? LIMITS.batchCallMs;
}

export function requestHash(parts: AgentParts, prepared: Prepared, maxOutputTokens: number): string {
  return parts.hash.sha256(JSON.stringify([prepared.info.id, granted(prepared.request, maxOutputTokens)]));
}

function inputOf(parts: AgentParts, prepared: Prepared, grant: Granted): BatchInput {
  const { info, request, estimatedTokens, grant: asked } = prepared;
  const { reservedNanoUsd, maxOutputTokens } = grant;
  return {
    reservedNanoUsd,
    maxOutputTokens,
    hash: requestHash(parts, prepared, maxOutputTokens),
    repeatable: info.deterministic === true || request.temperature === 0,
    estimatedTokens,
    price: asked.price,
    callMs: asked.deadlineMs,
    ...(asked.lane === "economy" ? { pooled: true } : {}),
    claim: null,
  };
}

function messageOf(parts: AgentParts, call: PendingCall): CallMessage {
  const { id, tenant, model } = parts.process.get();
  const { hash, repeatable, estimatedTokens, maxOutputTokens, pooled } = batchInputOf(call);
  const tokens = estimatedTokens + maxOutputTokens;
  const message = { tenant, agentId: id, callId: call.call_id, attempt: call.attempt, model, hash, repeatable, tokens };
  return pooled === true ? { ...message, lane: "economy" } : message;
}

function giveUp(parts: AgentParts, call: PendingCall): void {
  withdrawCall(parts, call, "unavailable");
  const message = `no consumer of the calls queue took this call in ${call.attempt} sendings; see GET /v1/dead-letters`;
  endTurn(parts, failed({ code: "unavailable", message }));
}
