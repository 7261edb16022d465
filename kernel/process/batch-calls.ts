import type { Door } from "../door.ts";
import { err, ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { unbilled } from "../llm/batch/driver.ts";
import type { ChatRequest } from "../llm/chat.ts";
import type { ChatOutcome } from "../llm/provider.ts";
import { toolDefinitions } from "../tools/definitions.ts";
import { endOf, isPooled, lastClaimAt, requestHash, sendAgain } from "./batch-step.ts";
import { batchInputOf } from "./call-input.ts";
import type { CallMessage } from "./call-message.ts";
import { withdrawCall } from "./lost-call.ts";
import { closeCall, settlementOf } from "./model-call.ts";
import type { AgentParts } from "./parts.ts";
import { MODEL_CALL, type PendingCall } from "./pending.ts";
import { granted, lastFailed, prepare } from "./prepare.ts";
import { loseCall } from "./recovery.ts";

/** What a claim hands over: the request, how long the vendor may take, and whether the call before it failed. */
export interface ClaimedCall {
  request: ChatRequest;
  deadlineMs: number;
  careful: boolean;
}

/**
 * The consumer's part of the batch lane, and the pool's of the economy lane. Messages may come twice, late, in any order or after a crash; so a call is claimed
 * once, and an outcome counts once: whatever finds no call to act on touches nothing.
 */
export class BatchCalls {
  readonly #parts: AgentParts;
  readonly #door: Door;

  constructor(parts: AgentParts, door: Door) {
    this.#parts = parts;
    this.#door = door;
  }

  /**
   * Takes the call that `message` speaks of. `conflict` when it ended or somebody has it. `delivery` counts the queue's
   * deliveries of this one message: a message that comes back after it claimed tells that its consumer died. Not so for an
   * economy pool, which writes down what it is handed before it does anything: it asks again until it has been.
   */
  claim(message: CallMessage, delivery: number): Result<ClaimedCall> {
    return this.#parts.tx.run(() => {
      const call = this.#parts.pending.get(message.callId);
      const again =
        call?.state === "claimed" && isPooled(call) && this.#claimed(message.callId, message.attempt) !== null;
      if (call?.state === "claimed" && !again) return this.#claimedBefore(call, message, delivery);
      if (call?.state !== "sent" && !again) return err("conflict", "the call has ended");
      if (batchInputOf(call).hash !== message.hash) return err("conflict", "the message speaks of another request");
      if (this.#parts.clock.now() >= lastClaimAt(call)) return err("conflict", "it is too late to begin this call");
      const request = this.#requestOf(call);
      return request === null ? this.#changed(call) : ok(this.#take(call, request, message.attempt, delivery));
    });
  }

  /** The consumer lives and works on the call. `conflict` when nobody waits for it any more. */
  renew(callId: string, attempt: number): Result<null> {
    return this.#parts.tx.run(() => {
      const call = this.#claimed(callId, attempt);
      if (call === null) return err("conflict", "the call has ended");
      this.#holdUntil(call, JSON.stringify(batchInputOf(call)), this.#parts.clock.now() + LIMITS.claimMs);
      return ok(null);
    });
  }

  /** Records the outcome, once. `joinedTo` = the outcome is that of another call, which pays for it. */
  deliver(callId: string, attempt: number, outcome: ChatOutcome, joinedTo?: string): Result<null> {
    return this.#parts.tx.run(() => {
      const call = this.#claimed(callId, attempt);
      if (call === null) this.#bill(callId, outcome, joinedTo);
      else this.#close(call, outcome, joinedTo);
      return ok(null);
    });
  }

  /** The claimer finds that the vendor has no Batch API and made no call: from now on the process is in the batch lane. */
  decline(callId: string, attempt: number): Result<null> {
    return this.#parts.tx.run(() => {
      const call = this.#claimed(callId, attempt);
      if (call === null) this.#bill(callId, unbilled("cancelled"), undefined);
      else this.#leaveEconomy(call);
      return ok(null);
    });
  }

  /** A person asks for a call that stands in the list of dead letters: one more message. */
  async resend(callId: string, actor: string): Promise<Result<null>> {
    const call = this.#parts.pending.get(callId);
    if (call?.state === "claimed") return err("conflict", "a consumer works on this call");
    if (call?.state !== "sent") return err("conflict", "the call has ended; send the agent a new message");
    await sendAgain(this.#parts, call, actor);
    return ok(null);
  }

  /**
   * The queue and its consumers ended together and began anew at `beganAt` (milliseconds since the epoch, by this object's
   * clock): what was in their hands before is in nobody's now. The loop sends the message again, or takes the call for lost.
   */
  queueLost(beganAt: number): Result<null> {
    return this.#parts.tx.run(() => {
      const { pending, process } = this.#parts;
      const call = pending.away();
      if (call === null || isPooled(call) || handedOverAt(call) >= beganAt) return ok(null);
      pending.due(call.call_id, beganAt);
      if (isWaiting(this.#parts)) process.change({ retry_at: beganAt });
      this.#wake();
      return ok(null);
    });
  }

  #claimed(callId: string, attempt: number): PendingCall | null {
    const call = this.#parts.pending.get(callId);
    return call?.state === "claimed" && batchInputOf(call).claim?.attempt === attempt ? call : null;
  }

  #claimedBefore(call: PendingCall, message: CallMessage, delivery: number): Result<never> {
    const { claim } = batchInputOf(call);
    if (claim?.attempt !== message.attempt || delivery <= claim.delivery)
      return err("conflict", "somebody has this call");
    loseCall(this.#parts, call);
    this.#wake();
    return err("conflict", "the consumer that had this call died; it is asked for anew");
  }

  /** The body once more, or null when it is not the one that was sent. */
  #requestOf(call: PendingCall): ChatRequest | null {
    const { hash, maxOutputTokens } = batchInputOf(call);
    const prepared = prepare(this.#parts, this.#door);
    if ("code" in prepared || requestHash(this.#parts, prepared, maxOutputTokens) !== hash) return null;
    return granted(prepared.request, maxOutputTokens);
  }

  /** A person pinned a page, or a deploy changed the tools: the reservation is for another prompt, so it is asked for anew. */
  #changed(call: PendingCall): Result<never> {
    withdrawCall(this.#parts, call, "changed");
    this.#goOn();
    return err("conflict", "the prompt has changed since; it is asked for anew");
  }

  #leaveEconomy(call: PendingCall): void {
    const { process, log } = this.#parts;
    withdrawCall(this.#parts, call, "unsupported");
    log.append(
      "lane.change",
      "kernel",
      { from: process.get().lane, to: "batch", reason: "no Batch API" },
      call.call_id,
    );
    process.change({ lane: "batch" });
    this.#goOn();
  }

  #take(call: PendingCall, request: ChatRequest, attempt: number, delivery: number): ClaimedCall {
    const now = this.#parts.clock.now();
    const endsAt = endOf(call);
    this.#holdUntil(
      call,
      JSON.stringify({ ...batchInputOf(call), claim: { attempt, delivery, at: now } }),
      isPooled(call) ? Math.min(endsAt, now + LIMITS.economyNudgeMs) : now + LIMITS.claimMs,
    );
    const deadlineMs = Math.min(LIMITS.modelCallMs, endsAt - now);
    return { request, deadlineMs, careful: lastFailed(this.#parts) };
  }

  /** The alarm may stand earlier, then the loop sets it right; it must not stand later. */
  #holdUntil(call: PendingCall, input: string, until: number): void {
    const { pending, process } = this.#parts;
    pending.claim(call.call_id, input, until);
    if (isWaiting(this.#parts)) process.change({ retry_at: until });
    if (until < call.deadline_at) this.#wake();
  }

  #close(call: PendingCall, outcome: ChatOutcome, joinedTo: string | undefined): void {
    const { price, reservedNanoUsd, estimatedTokens } = batchInputOf(call);
    const tools = toolDefinitions(this.#door.offered());
    this.#parts.process.change({ retry_at: null });
    closeCall(this.#parts, { callId: call.call_id, price, reservedNanoUsd, estimatedTokens, tools, joinedTo }, outcome);
    this.#goOn();
  }

  /** A late outcome is billed, not applied: it takes the place of the upper bound. */
  #bill(callId: string, outcome: ChatOutcome, joinedTo: string | undefined): void {
    const { process, log, clock, strays } = this.#parts;
    const stray = strays.take(callId);
    if (stray === null) return;
    const settlement = settlementOf(outcome, { ...stray, joinedTo }, clock.now());
    if (settlement.state === "unknown") return;
    const row = process.get();
    process.change({
      prompt_tokens: row.prompt_tokens + (settlement.usage?.promptTokens ?? 0),
      cached_tokens: row.cached_tokens + (settlement.usage?.cachedTokens ?? 0),
      completion_tokens: row.completion_tokens + (settlement.usage?.completionTokens ?? 0),
      cost_nano_usd: row.cost_nano_usd + settlement.costNanoUsd - stray.reservedNanoUsd,
    });
    const data = { name: MODEL_CALL, step: stray.step, ok: false, code: stray.code, late: true, settlement };
    log.append("call.end", `agent:${row.id}`, data, callId);
    this.#wake();
  }

  /** The process waits for the call no longer, unless its end gave it something else to wait for. */
  #goOn(): void {
    const { process } = this.#parts;
    if (isWaiting(this.#parts) && process.get().retry_at === null) process.transition({ to: "ready" });
    this.#wake();
  }

  #wake(): void {
    this.#parts.alarm.set(this.#parts.clock.now());
  }
}

/** When the call was last given to whoever has it; of a message that was sent again, the first sending. */
function handedOverAt(call: PendingCall): number {
  return batchInputOf(call).claim?.at ?? call.started_at;
}

function isWaiting(parts: AgentParts): boolean {
  const { state, wait_reason: reason } = parts.process.get();
  return state === "waiting" && reason === "llm";
}
