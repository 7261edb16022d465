/** Chat completions as the kernel speaks them: the OpenAI wire shapes, reduced to what is used. */

export interface ToolCall {
  id: string;
  type: "function";
  function: { name: string /** JSON text as the model wrote it; may be malformed. */; arguments: string };
}

export type ChatMessage =
  | { role: "system"; content: string }
  | { role: "user"; content: string }
  | { role: "assistant"; content: string | null; tool_calls?: ToolCall[]; reasoning_content?: string }
  | { role: "tool"; tool_call_id: string; content: string };

export interface ToolDefinition {
  type: "function";
  function: { name: string; description: string /** JSON Schema of the arguments object. */; parameters: object };
}

/** The beginning of a reply that the model goes on from. */
export interface Prefill {
  content: string;
  reasoning: string;
}

export interface ChatRequest {
  /** The vendor's model id, without the provider. */
  model: string;
  messages: ChatMessage[];
  tools: ToolDefinition[];
  /** Always sent: it bounds the bill. */
  maxOutputTokens: number;
  temperature?: number;
  /** Further parameters of the body, by their wire names: see passed-fields.ts. */
  passed?: Readonly<Record<string, unknown>>;
  /** Only for models with the capability. The reply's content begins with it; the vendor writes and bills the rest. */
  prefill?: Prefill;
  /** Sent to vendors that isolate caches or abuse handling by user. */
  user?: string;
}

export interface TokenUsage {
  promptTokens: number;
  /** The part of `promptTokens` that the vendor served from its prefix cache. */
  cachedTokens: number;
  /** The part of `promptTokens` that the vendor wrote into its prefix cache, where it bills that apart. */
  cacheWriteTokens?: number;
  completionTokens: number;
  /** The part of `completionTokens` spent on reasoning. */
  reasoningTokens: number;
  /** True when the vendor sent no usage and the numbers are our upper bound. */
  estimated: boolean;
}

export const FINISH_REASONS = ["stop", "length", "tool_calls", "content_filter"] as const;
export type FinishReason = (typeof FINISH_REASONS)[number];

/** A complete reply: the vendor's terminal event was seen. */
export interface ChatReply {
  content: string;
  reasoning: string;
  toolCalls: ToolCall[];
  finishReason: FinishReason;
  usage: TokenUsage;
}
