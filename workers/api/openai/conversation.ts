import type { Result } from "../../../kernel/errors.ts";
import type { ChatReply, ChatRequest } from "../../../kernel/llm/chat.ts";

/**
 * What both of OpenAI's surfaces, chat completions and responses, come down to: somebody is asked to go on with a
 * conversation. Each surface reads its body into one and writes the reply in its own shape.
 */
export interface Conversation {
  /** `provider/model` or `agent/{id}`, as the client named it. */
  model: string;
  messages: ChatRequest["messages"];
  tools: ChatRequest["tools"];
  /** Absent = the kernel's default. */
  maxOutputTokens?: number | undefined;
  temperature?: number | undefined;
  /** Whether a reply may be given again; absent = when the model is deterministic or `temperature` is 0. */
  cache?: boolean | undefined;
  /** Parameters that the kernel hands on to the vendor as they are. */
  passed: Readonly<Record<string, unknown>>;
}

export interface AnswerHooks {
  /** Aborts when the client has gone. */
  signal: AbortSignal;
  onDelta(text: string): void;
  /** What a model thinks before it answers, as it comes, where its vendor says it. */
  onReasoning(text: string): void;
}

/** Whoever answers a conversation: a vendor's model through the meter, or an agent. */
export interface Answerer {
  answer(hooks: AnswerHooks): Promise<Result<ChatReply>>;
}
