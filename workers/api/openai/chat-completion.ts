import type { ChatReply, TokenUsage } from "../../../kernel/llm/chat.ts";
import type { AnswerEvent } from "./answer-events.ts";
import { type FrameWriter, frame, restOf } from "./event-frames.ts";
import { openAiError } from "./openai-error.ts";

/** A reply in the shapes of chat completions: one object, or chunks. */

export interface Heading {
  /** `chatcmpl-` + the call's id in the ledger. */
  id: string;
  /** As the client named it. */
  model: string;
  /** Seconds since the epoch. */
  created: number;
}

export function chatCompletion(heading: Heading, reply: ChatReply) {
  const message = {
    role: "assistant",
    content: reply.content === "" && reply.toolCalls.length > 0 ? null : reply.content,
    refusal: null,
    ...(reply.reasoning === "" ? {} : { reasoning_content: reply.reasoning }),
    ...(reply.toolCalls.length === 0 ? {} : { tool_calls: reply.toolCalls }),
  };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: reply.finishReason }];
  return { ...heading, object: "chat.completion", choices, usage: chatUsage(reply.usage) };
}

function chatUsage(usage: TokenUsage) {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}

/** The chunks of a streamed completion, `[DONE]` last. A failure after the first byte is a chunk with `error`, and no `[DONE]`. */
export class ChatChunks implements FrameWriter {
  readonly #heading: Heading;
  readonly #withUsage: boolean;
  #text = "";
  #reasoning = "";

  constructor(heading: Heading, withUsage: boolean) {
    this.#heading = heading;
    this.#withUsage = withUsage;
  }

  begin(): string {
    return this.#chunk({ role: "assistant", content: "" });
  }

  write(event: AnswerEvent): string {
    if (event.type === "delta") {
      this.#text += event.text;
      return this.#chunk({ content: event.text });
    }
    if (event.type === "reasoning") {
      this.#reasoning += event.text;
      return this.#chunk({ reasoning_content: event.text });
    }
    if (event.result.ok) return this.#end(event.result.value);
    return frame(openAiError(event.result.error));
  }

  #end(reply: ChatReply): string {
    const rest = restOf(reply.content, this.#text);
    const thoughts = restOf(reply.reasoning, this.#reasoning);
    const calls = reply.toolCalls.map((call, index) => ({ index, ...call }));
    return [
      thoughts === "" ? "" : this.#chunk({ reasoning_content: thoughts }),
      rest === "" ? "" : this.#chunk({ content: rest }),
      calls.length === 0 ? "" : this.#chunk({ tool_calls: calls }),
      this.#chunk({}, reply.finishReason),
      this.#withUsage ? this.#frame({ choices: [], usage: chatUsage(reply.usage) }) : "",
      frame("[DONE]"),
    ].join("");
  }

  #chunk(delta: object, finishReason: string | null = null): string {
    return this.#frame({ choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }] });
  }

  #frame(facts: object): string {
    const usage = this.#withUsage ? { usage: null } : {};
    return frame({ ...this.#heading, object: "chat.completion.chunk", ...usage, ...facts });
  }
}
