import type { ModelPrice } from "../llm/provider.ts";
import type { PendingCall } from "./pending.ts";

/** Bounds of a model call, kept as JSON in `pending.input` while it is under way. */
export type Bounds = { reservedNanoUsd: number; maxOutputTokens: number };

/** What a call in the queue keeps beside them: all that its claim and its outcome, which come from outside, need. */
export type BatchInput = Bounds & {
  hash: string;
  repeatable: boolean;
  estimatedTokens: number;
  price: ModelPrice;
  /** From reserving to the outcome, at most. Absent in rows of older versions, whose calls were all of the batch lane. */
  callMs?: number;
  /** An economy pool makes the call. */
  pooled?: true;
  /** The message, and the delivery of it, that claimed the call, and when (milliseconds since the epoch). */
  claim: { attempt: number; delivery: number; at: number } | null;
};

export function boundsOf(call: PendingCall): Bounds {
  return JSON.parse(call.input) as Bounds;
}

/** Only for a call that is `sent` or `claimed`. */
export function batchInputOf(call: PendingCall): BatchInput {
  return JSON.parse(call.input) as BatchInput;
}
