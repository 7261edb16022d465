import { type Settlement, UNUSED } from "../scheduler/grant.ts";
import { batchInputOf, boundsOf } from "./call-input.ts";
import { cutCallOf } from "./cut-call.ts";
import type { AgentParts } from "./parts.ts";
import { MODEL_CALL, type PendingCall } from "./pending.ts";
import type { ProcessChange } from "./process-store.ts";
import type { Stray } from "./strays.ts";

/** Ends of a model call without its outcome: what it counts for then. The caller's transaction. */

/** A call that was in nobody's hands costs nothing; the turn asks for it again under a new id. */
export function withdrawCall(parts: AgentParts, call: PendingCall, code: string): void {
  end(parts, call, code, UNUSED);
  again(parts, call);
}

/**
 * No settlement: the core settles the call as unknown when its time has passed, unless it hears better. What had come of
 * the reply is kept, for the next call to go on from.
 */
export function forgetCall(parts: AgentParts, call: PendingCall): void {
  end(parts, call, "lost");
  countBound(parts, call, "lost");
  again(parts, call, { cut_call: cutCallOf(parts, call) });
}

/** Nobody waits for the call any more. One that was in somebody's hands may be billed, so it settles at its upper bound. */
export function abandonCall(parts: AgentParts, call: PendingCall): void {
  if (call.state === "sent") return end(parts, call, "cancelled", UNUSED);
  const { reservedNanoUsd } = boundsOf(call);
  end(parts, call, "cancelled", { state: "unknown", usage: null, costNanoUsd: reservedNanoUsd });
  countBound(parts, call, "cancelled");
}

function end(parts: AgentParts, call: PendingCall, code: string, settlement?: Omit<Settlement, "callId">): void {
  const data = {
    name: MODEL_CALL,
    step: call.step,
    ok: false,
    code,
    ...(settlement === undefined ? {} : { settlement }),
  };
  parts.log.append("call.end", "kernel", data, call.call_id);
}

function countBound(parts: AgentParts, call: PendingCall, code: Stray["code"]): void {
  const { reservedNanoUsd } = boundsOf(call);
  parts.process.change({ cost_nano_usd: parts.process.get().cost_nano_usd + reservedNanoUsd });
  if (call.state !== "claimed") return;
  const { price } = batchInputOf(call);
  parts.strays.put({ callId: call.call_id, step: call.step, code, reservedNanoUsd, price });
}

function again(parts: AgentParts, call: PendingCall, change: ProcessChange = {}): void {
  parts.pending.delete(call.call_id);
  parts.process.change({ ...change, turn_attempt: parts.process.get().turn_attempt + 1, retry_at: null });
}
