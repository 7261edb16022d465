import type { ChatRequest } from "../chat.ts";
import type { ChatFailure } from "../classify.ts";
import type { ChatOutcome } from "../provider.ts";
import type { LotRow } from "./lot-table.ts";

/**
 * How a lot (requests of one model) gets its outcomes: by the vendor's Batch API, or by a pool of ordinary calls where there
 * is none. A driver keeps nothing in memory from one step to the next: what it must remember stands in the lot's row before
 * the effect, so that any step may be the last of this life and the next one goes on.
 */
export interface BatchDriver {
  /** What a lot may hold. */
  readonly limits: { requests: number; bytes: number };
  /** Of the model's usual price. */
  readonly priceFactor: number;
  /** Brings the lot one step on. Never throws for what a vendor or a network can do. `signal` = nobody waits any more. */
  advance(desk: JobDesk, signal: AbortSignal): Promise<Progress>;
}

/** How requests end that a driver says nothing of. */
export type ChatRest = ChatFailure;

export type Progress =
  /** Nothing to do before so many milliseconds have passed. */
  | { kind: "wait"; ms: number }
  /** Nothing more will come: requests without an outcome get `rest`. */
  | { kind: "ended"; rest: ChatFailure }
  /** The endpoint has no batch API and nothing was submitted: these requests are another driver's. */
  | { kind: "unsupported" };

/** A request as it was granted. */
export interface LotRequest {
  position: number;
  attempt: number;
  request: ChatRequest;
}

export interface RequestOutcome {
  position: number;
  outcome: ChatOutcome;
}

/** What a driver may read and write of its lot. Each method is one transaction. */
export interface LotDesk {
  /** Names the lot at the vendor, the same in every life. */
  readonly tag: string;
  lot(): LotRow;
  change(fields: Partial<Omit<LotRow, "lot">>): void;
  /** `reserved` = not begun; `sent` = begun, and in an earlier life if nothing is under way in this one. */
  requests(state: "reserved" | "sent", after: number, limit: number): LotRequest[];
  /** Ends requests with their bills, once: what has ended is let be. */
  record(outcomes: readonly RequestOutcome[]): void;
  /** The vendor works on it. */
  running(): void;
  /** Why no more work is wanted, or null. */
  stopping(): "cancelled" | "expired" | null;
  now(): number;
}

/** The desk of a job, which may make the calls by itself. */
export interface JobDesk extends LotDesk {
  /** Right before a call that may be billed. */
  send(position: number): void;
  /** Bills what was tried and asks for the request again, by a call of its own. */
  retry(failed: RequestOutcome, retryAt: number): void;
}

/** How requests end that nobody worked on. */
export function unbilled(why: "cancelled" | "expired"): ChatFailure {
  const error =
    why === "cancelled"
      ? { code: "cancelled" as const, message: "The batch was cancelled before this request was answered." }
      : { code: "deadline_exceeded" as const, message: "The batch expired before this request was answered." };
  return { ok: false, error, retryable: false, billed: "none" };
}

/** How requests end whose outcome nobody can say any more. */
export function hidden(message: string): ChatFailure {
  return { ok: false, error: { code: "provider_truncated", message }, retryable: false, billed: "unknown" };
}

/** A pause that doubles from failure to failure, at least what the vendor asked for. */
export function pauseMs(failures: number, base: number, max: number, failure?: ChatFailure): number {
  return Math.max(failure?.error.retryAfterMs ?? 0, Math.min(max, base * 2 ** Math.min(failures, 20)));
}
