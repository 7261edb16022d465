import type { KernelError } from "../errors.ts";
import type { ChatReply, ChatRequest, TokenUsage } from "./chat.ts";

/** A device driver for one LLM vendor account. */

/** USD prices per token in nano-dollars (1e-9 USD); a price per million tokens of $0.60 is 600 nano-dollars a token. */
export interface ModelPrice {
  inputNanoUsd: number;
  cachedInputNanoUsd: number;
  outputNanoUsd: number;
  /** Says where and when the price was read; stored with every ledger row. */
  version: string;
}

export interface ModelInfo {
  /** `provider/model`. */
  id: string;
  contextTokens: number;
  maxOutputTokens: number;
  price: ModelPrice;
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
  /** Text as it arrives. Not stored. */
  onDelta?: (text: string) => void;
}

export interface Provider {
  readonly name: string;
  /** Null when this provider does not serve `model` (the part after the slash). Never a network call. */
  describe(model: string): ModelInfo | null;
  /** One call, no retries. Never throws for what a vendor or a network can do. */
  chat(request: ChatRequest, hooks: ChatHooks): Promise<ChatOutcome>;
}
