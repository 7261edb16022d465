import type { KernelError, Result } from "../errors.ts";
import type { ChatReply, ChatRequest, Prefill, TokenUsage } from "./chat.ts";

/** A device driver for one LLM vendor account. */

/**
 * Prices in nano-dollars (1e-9 USD) per million tokens, so that every published price is an exact integer: $0.60 per
 * million tokens is 600_000_000, $0.003 is 3_000_000. `pricing.ts` turns them into the cost of a call.
 */
export interface ModelPrice {
  inputNanoUsdPerMTok: number;
  cachedInputNanoUsdPerMTok: number;
  /** Absent when writing the prefix cache costs the same as input. */
  cacheWriteNanoUsdPerMTok?: number;
  outputNanoUsdPerMTok: number;
  /** Prompts longer than `aboveTokens` multiply the prices of the whole call. */
  longContext?: { aboveTokens: number; inputFactor: number; outputFactor: number };
  /** UTC hours `[from, to)` from Monday to Friday in which all prices are multiplied. */
  peak?: { factor: number; hoursUtc: readonly (readonly [number, number])[] };
  /** Says where and when the price was read; stored with every ledger row. */
  version: string;
}

/** What a model can do beyond text. */
export interface Capabilities {
  /** Calls functions. */
  tools: boolean;
  /** Reads images. */
  vision: boolean;
  /** Thinks before it answers, and bills that. */
  reasoning: boolean;
  /** Goes on from the beginning of a reply, so that a cut generation is not paid for twice. */
  prefill: boolean;
  /** Can be held to JSON. */
  json: boolean;
}

export interface ModelInfo {
  /** `provider/model`. */
  id: string;
  contextTokens: number;
  maxOutputTokens: number;
  capabilities: Capabilities;
  price: ModelPrice;
  /** See `OfferedModel`. */
  created?: number;
  /** The same request always gets the same reply, so identical calls may share one. */
  deterministic?: true;
}

export type ChatOutcome =
  | { ok: true; reply: ChatReply }
  | {
      ok: false;
      error: KernelError;
      /** Whether the same request may succeed later: decided here, once. */
      retryable: boolean;
      /** `none` = the vendor surely billed nothing; `unknown` = it may have. */
      billed: "none" | "unknown";
      /** What the vendor reported before it failed, if anything. */
      usage?: TokenUsage;
    };

export interface ChatHooks {
  /** Aborts the call: a signal, a deadline. */
  signal: AbortSignal;
  /** The call before this one failed: the request is sent so that a dead connection is known to have cost nothing. */
  careful?: boolean;
  /** Text as it arrives. Not stored. */
  onDelta?: (text: string) => void;
  /** Reasoning as it arrives, from vendors that say it. Not stored. */
  onReasoning?: (text: string) => void;
  /** All text and reasoning so far, a `prefill` included, whenever text was added: what a cut generation resumes from. */
  onPartial?: (partial: Prefill) => void;
}

/** A model that the vendor's own list names. */
export interface OfferedModel {
  /** The vendor's id. */
  id: string;
  /** Where the list says it. */
  contextTokens?: number;
  /** When the model was made, in seconds since the epoch, where the list says it. */
  created?: number;
}

export interface Provider {
  readonly name: string;
  /** Null when this provider does not serve `model` (the part after the slash). Never a network call. */
  describe(model: string): ModelInfo | null;
  /** One call, no retries. Never throws for what a vendor or a network can do. */
  chat(request: ChatRequest, hooks: ChatHooks): Promise<ChatOutcome>;
  /** What the vendor offers this account now: one look-up within a deadline, no retries. Never throws. */
  offered(signal: AbortSignal): Promise<Result<OfferedModel[]>>;
}
