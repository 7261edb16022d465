import { cutsSurrogatePair, utf8Bytes } from "../context/script.ts";
import { estimateTokens } from "../context/tokens.ts";
import { LIMITS } from "../limits.ts";
import type { Prefill } from "../llm/chat.ts";
import type { ModelInfo } from "../llm/provider.ts";
import type { AgentParts } from "./parts.ts";
import type { PendingCall } from "./pending.ts";
import type { ProcessRow } from "./process-store.ts";

/**
 * A model call that a crash cut, and what the next one makes of it: where the vendor goes on from the beginning of a reply, it
 * is asked for the rest only; elsewhere the call is made again. Journal and ledger name the cut call either way. It settles by
 * itself, as `unknown` at its upper bound.
 *
 * What has come of a reply stands in the outcome column of the call's pending row: one row, written over a few times
 * (`LIMITS.partialFirstMs`), and only for models that can go on from it. Reasoning without text is nothing to go on from.
 */
export interface CutCall extends Prefill {
  callId: string;
}

/** The cut call that the step's next one comes after, or null. */
export function cutCall({ cut_call: json }: Pick<ProcessRow, "cut_call">): CutCall | null {
  return json === null ? null : (JSON.parse(json) as CutCall);
}

/** What is kept of `call`, which was lost: what had come of it or, when it died before that was written down, what it began with. */
export function cutCallOf(parts: AgentParts, call: PendingCall): string {
  const before = cutCall(parts.process.get());
  const { content, reasoning } = call.outcome === null ? (before ?? NOTHING) : (JSON.parse(call.outcome) as Prefill);
  return JSON.stringify({ callId: call.call_id, content, reasoning } satisfies CutCall);
}

/** The cut call to be made again from its beginning: the vendor would not go on from where it was. */
export function startOver(cut: CutCall): string {
  return JSON.stringify({ callId: cut.callId, ...NOTHING } satisfies CutCall);
}

/** What a cut call changes in the next one. */
export interface Continuation {
  /** Null = the reply is asked for from its beginning. */
  prefill: Prefill | null;
  /** Upper bound, and estimate, of the tokens that it adds to the prompt. */
  inputBound: number;
  estimatedTokens: number;
  resumedFrom?: string;
  restartedFrom?: string;
}

export function continuationOf(cut: CutCall | null, info: ModelInfo): Continuation {
  if (cut === null) return { prefill: null, inputBound: 0, estimatedTokens: 0 };
  const { callId, content, reasoning } = cut;
  if (content === "" || !info.capabilities.prefill) {
    return { prefill: null, inputBound: 0, estimatedTokens: 0, restartedFrom: callId };
  }
  return {
    prefill: { content, reasoning },
    inputBound: utf8Bytes(JSON.stringify([content, reasoning])) + FRAMING_TOKENS,
    estimatedTokens: estimateTokens(content) + estimateTokens(reasoning),
    resumedFrom: callId,
  };
}

const NOTHING: Prefill = { content: "", reasoning: "" };
/** What vendors add around a message, generously. */
const FRAMING_TOKENS = 16;

/** Writes down what comes of a running call, seldom: after `LIMITS.partialFirstMs`, then at twice the time each. */
export class PartialKeeper {
  readonly #parts: Pick<AgentParts, "clock" | "pending">;
  readonly #callId: string;
  readonly #begunAt: number;
  #afterMs: number = LIMITS.partialFirstMs;

  constructor(parts: Pick<AgentParts, "clock" | "pending">, callId: string) {
    this.#parts = parts;
    this.#callId = callId;
    this.#begunAt = parts.clock.now();
  }

  take({ content, reasoning }: Prefill): void {
    const runMs = this.#parts.clock.now() - this.#begunAt;
    if (runMs < this.#afterMs) return;
    this.#afterMs = 2 * runMs;
    const partial: Prefill = { content: bounded(content), reasoning: bounded(reasoning) };
    this.#parts.pending.keepPartial(this.#callId, JSON.stringify(partial));
  }
}

function bounded(text: string): string {
  const end = Math.min(text.length, LIMITS.partialChars);
  return text.slice(0, cutsSurrogatePair(text, end) ? end - 1 : end);
}
