import type { ChatRequest, TokenUsage } from "./chat.ts";
import {
  type Account,
  abortFailure,
  bodyFailure,
  type ChatFailure,
  exhausted,
  malformed,
  streamFailure,
} from "./classify.ts";
import type { ChatHooks, ChatOutcome } from "./provider.ts";
import { type Added, ReplyAccumulator } from "./reply-accumulator.ts";
import type { ReplyFrame } from "./reply-frame.ts";
import { boundedUsage } from "./usage.ts";

/**
 * Makes an outcome of a vendor's frames. A reply counts only when its finish reason and the vendor's terminal event both
 * arrived; a connection that closes in order looks like neither.
 */

const NO_CAPACITY = "insufficient_system_resource";

export class ReplyReader {
  readonly #account: Account;
  readonly #request: ChatRequest;
  readonly #hooks: ChatHooks;
  readonly #meter: (fields: Record<string, unknown>) => TokenUsage | null;
  readonly #reply: ReplyAccumulator;

  /** `meter` reads the vendor's usage; null when it makes no sense. */
  constructor(
    account: Account,
    request: ChatRequest,
    hooks: ChatHooks,
    meter: (fields: Record<string, unknown>) => TokenUsage | null,
  ) {
    this.#account = account;
    this.#request = request;
    this.#hooks = hooks;
    this.#meter = meter;
    this.#reply = new ReplyAccumulator(request.prefill);
  }

  async read(frames: AsyncIterable<ReplyFrame>): Promise<ChatOutcome> {
    for await (const frame of frames) {
      const outcome = this.#take(frame);
      if (outcome !== null) return outcome;
    }
    return this.#failed(bodyFailure("eof", this.#account));
  }

  /** Null while the reply goes on. */
  #take(frame: ReplyFrame): ChatOutcome | null {
    switch (frame.type) {
      case "chunk":
        this.#show(this.#reply.add(frame.chunk));
        return null;
      case "done":
        return this.#finished();
      case "error":
        return this.#failed(streamFailure(frame.error, this.#account));
      case "malformed":
        return this.#failed(malformed(frame.problem, this.#account));
      case "end":
        return this.#failed(
          frame.why === "aborted" ? abortFailure(this.#hooks.signal, true) : bodyFailure(frame.why, this.#account),
        );
    }
  }

  #show({ text, reasoning: thought }: Added): void {
    if (thought !== "") this.#hooks.onReasoning?.(thought);
    if (text === "") return;
    this.#hooks.onDelta?.(text);
    if (this.#hooks.onPartial === undefined) return;
    const { content, reasoning } = this.#reply.partial;
    this.#hooks.onPartial({ content, reasoning });
  }

  #finished(): ChatOutcome {
    if (this.#reply.finish === null) return this.#failed(bodyFailure("eof", this.#account));
    if (this.#reply.finish === NO_CAPACITY) return this.#failed(exhausted(this.#account));
    const finish = this.#reply.finishReason();
    if (!finish.ok) return this.#failed(malformed(`has a fault: ${finish.problem}`, this.#account));
    const usage = this.#usage() ?? boundedUsage(this.#request, this.#reply.partial);
    return { ok: true, reply: { ...this.#reply.partial, finishReason: finish.reason, usage } };
  }

  /** With what the vendor reported of its bill before it failed, if anything. */
  #failed(failed: ChatFailure): ChatFailure {
    const usage = this.#usage();
    return usage === null ? failed : { ...failed, usage };
  }

  #usage(): TokenUsage | null {
    return this.#reply.usage === null ? null : this.#meter(this.#reply.usage);
  }
}
