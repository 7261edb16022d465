import { err, ok, type Result } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import type { ChatReply } from "../../../kernel/llm/chat.ts";
import type { ControlBlock } from "../../../kernel/process/block.ts";
import type { MessageView } from "../../../kernel/process/message.ts";
import { answer, type ReachAgent } from "../../objects.ts";
import { waitForMessage } from "../wait-for-message.ts";
import type { Answerer, AnswerHooks, Conversation } from "./conversation.ts";
import { LiveMessage } from "./live-message.ts";

/**
 * An agent as a model: the newest user message goes into its mailbox and its reply comes back. The agent has its own
 * memory, instructions and tools, so the rest of the client's conversation is not sent again. Its model calls are metered
 * as the agent's own.
 */
export class AgentModel implements Answerer {
  readonly #reach: ReachAgent;
  readonly #actor: string;
  readonly #conversation: Conversation;

  constructor(reach: ReachAgent, actor: string, conversation: Conversation) {
    this.#reach = reach;
    this.#actor = actor;
    this.#conversation = conversation;
  }

  async answer({ signal, onDelta }: AnswerHooks): Promise<Result<ChatReply>> {
    const content = this.#conversation.messages.findLast(({ role }) => role === "user")?.content ?? "";
    if (content === "") return err("invalid_input", "An agent is asked by a user message with text.", NO_QUESTION);
    const before = await answer(this.#reach().block());
    if (!before.ok) return before;
    const live = await LiveMessage.watch(this.#reach(), onDelta);
    try {
      const sent = await answer(this.#reach().send({ content, actor: this.#actor }));
      if (!sent.ok) return sent;
      live.follow(sent.value.messageId);
      return await this.#reply(sent.value.messageId, before.value, signal);
    } finally {
      live.close();
    }
  }

  async #reply(messageId: string, before: ControlBlock, signal: AbortSignal): Promise<Result<ChatReply>> {
    const message = await waitForMessage(this.#reach, messageId, LIMITS.waitMaxSeconds * 1_000, signal);
    if (!message.ok) return message;
    if (message.value === null) return err("deadline_exceeded", LATE.replace("$", messageId));
    if (message.value.state !== "answered") return failure(message.value);
    const after = await answer(this.#reach().block());
    return ok(replyOf(message.value.reply ?? "", before.usage, after.ok ? after.value.usage : before.usage));
  }
}

const NO_QUESTION = { issues: [{ path: "$.messages", message: "no user message with text" }] };
const LATE = "The agent works on. GET /v1/agents/{id}/messages/$ has its reply when there is one.";

function failure({ state, error }: MessageView): Result<never> {
  return err("conflict", `The message is ${state}${error === undefined ? "" : `: ${error.message}`}.`);
}

/** Tokens are what the process used meanwhile, so two questions at a time share theirs. */
function replyOf(content: string, before: ControlBlock["usage"], after: ControlBlock["usage"]): ChatReply {
  const usage = {
    promptTokens: after.promptTokens - before.promptTokens,
    cachedTokens: after.cachedTokens - before.cachedTokens,
    completionTokens: after.completionTokens - before.completionTokens,
    reasoningTokens: 0,
    estimated: false,
  };
  return { content, reasoning: "", toolCalls: [], finishReason: "stop", usage };
}
