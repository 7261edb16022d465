import * as z from "zod";
import type { ErrorCode } from "../errors.ts";
import type { CacheLevel } from "../llm/cache/reply-cache.ts";
import type { TokenUsage } from "../llm/chat.ts";
import type { CallOutcome } from "../llm/gate/outcome.ts";
import type { ModelPrice } from "../llm/provider.ts";
import type { RowShare } from "../platform/platform-meter.ts";
import type { PlatformUsage } from "../platform/platform-usage.ts";
import type { ControlBlock } from "../process/block.ts";
import type { Lane, Stored } from "../process/spec.ts";
import type { Standing } from "./standing.ts";

/**
 * What an agent and its core say to each other, once a step: the agent settles its last model call, reports where it
 * stands and asks for the next call; the core answers with a grant. Both sides are idempotent by call id and log number.
 */

/** How a model call ended, for the ledger. */
export interface Settlement {
  callId: string;
  /** `unknown` = the vendor may have billed it and nobody can say; it counts at its upper bound. */
  state: "settled" | "unknown";
  usage: TokenUsage | null;
  costNanoUsd: number;
  /** What the end of the call says of the vendor's account, if anything. */
  outcome?: CallOutcome;
}

/** What a call costs that was never made: nothing, and no step. */
export const UNUSED = { state: "settled", usage: null, costNanoUsd: 0 } as const satisfies Omit<Settlement, "callId">;

/** A call that was answered without the vendor. */
export interface CacheHit {
  callId: string;
  provider: string;
  model: string;
  price: ModelPrice;
  /** `flight` = another call that was under way answered this one too. */
  level: CacheLevel | "flight";
  savedNanoUsd: number;
  /** The tenant's purges when the reply was made: an older one counts no more. */
  epoch: number;
}

/** Why a call needs a consent, in words for a person. */
export const reason = z.object({ kind: z.enum(["irreversible", "setting", "provenance"]), message: z.string() });
export type Reason = z.infer<typeof reason>;

/** The exact thing that an approval is about, and what is known of it. */
export const action = z.object({
  tool: z.string(),
  callId: z.string(),
  /** 1, 2, 3, ...: which try of the call. */
  attempt: z.int(),
  /** The arguments as the model wrote them; a long one is cut, its hash is not. */
  input: z.string(),
  inputSha256: z.string(),
  startedAt: z.iso.datetime(),
  known: z.string(),
  /** SHA-256 of agent, call, tool and input as it will run: what a decision may name, so that it is about nothing else. */
  actionSha256: z.string().optional(),
  /** Of an action that is held. SHA-256 of the input as it will run: what a rule for exactly this is bound to. */
  canonicalSha256: z.string().optional(),
  /** Where it acts; null = nowhere. */
  host: z.string().nullable().optional(),
  /** Why somebody is asked. */
  reasons: z.array(reason).optional(),
});
export type Action = z.infer<typeof action>;

/** Something that waits for a person: a question that takes an answer, or an action that takes a decision. */
export interface OpenQuestion {
  id: string;
  callId: string;
  kind: "question" | "approval";
  question: string;
  options: string[] | null;
  /** Null for a question. */
  action: Action | null;
  createdAt: number;
  /** When it is given up. Null = never. */
  expiresAt: number | null;
}

/** Where the agent stands, as of its log entry `seq`. */
export interface AgentReport {
  agentId: string;
  seq: number;
  /** Hash of that entry; absent = as before. */
  head?: string | undefined;
  block: ControlBlock;
  settlements: Settlement[];
  /** Data of the `page.segment` entries of the log: rows of the catalogue of cold pages. */
  segments: Record<string, unknown>[];
  questions: OpenQuestion[];
  /** When the process goes on by itself; null or absent = it waits for somebody else. A duration, because clocks differ. */
  dueInMs?: number | null;
  /** Pages and files as they stand; absent = as before. */
  stored?: Stored;
  /** CPU that its code used since it began, in milliseconds; absent = as before. */
  cpuMs?: number;
  /** What the run of code may use for which the process waits; null or absent = it waits for no such quota. */
  awaitedCpuMs?: number | null;
  /** What the process took of the platform since it began; absent = as before. */
  platform?: PlatformUsage;
}

/** Asks for money and, in the interactive lane, a slot for one model call. */
export interface GrantRequest {
  callId: string;
  lane: Lane;
  provider: string;
  model: string;
  price: ModelPrice;
  /** Upper bound of the prompt in tokens: its UTF-8 bytes plus framing. */
  inputBound: number;
  /** The longest reply wanted; the grant may allow less. */
  outputWanted: number;
  /** What the call counts for against the account's tokens a minute: the prompt as estimated, and the longest reply. */
  rateTokens: number;
  /** How long the call may take; its reservation outlives it by a grace. */
  deadlineMs: number;
  /** The call before it, whose outcome was lost: this one asks for the rest of its reply, or for all of it again. */
  resumedFrom?: string | undefined;
  restartedFrom?: string | undefined;
}

/** What is reserved for one call: at most so long a reply, at most so much money. */
export interface Reservation {
  maxOutputTokens: number;
  reservedNanoUsd: number;
}

/** What the core says to one question, how the process stands with its quotas after it, and what rows the answer took. */
export type GrantReply = GrantAnswer & { standing?: Standing; rows?: RowShare };

export type GrantAnswer =
  /** Call now, with at most `maxOutputTokens`. `slotMs` is how long the slot is held: 0 in the batch lane, which has none. */
  | { kind: "granted"; callId: string; maxOutputTokens: number; reservedNanoUsd: number; fence: number; slotMs: number }
  /** No slot is free, or the vendor's account has no room: `run` is called when there is. `vendor` = the vendor is the reason. */
  | { kind: "queued"; vendor?: { provider: string; code: ErrorCode } }
  /** A budget is spent: `run` is called when there is room again. */
  | { kind: "denied"; subject: string; metric: string; limit: number; used: number; reserved: number }
  /** The core knows no such process, or it was erased: stop. */
  | { kind: "gone" }
  /** Nothing was asked. */
  | { kind: "noted" };

/** The least reply that is worth a model call, in tokens. */
export const LEAST_OUTPUT_TOKENS = 16;
