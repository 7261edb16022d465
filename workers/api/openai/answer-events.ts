import { err, type Result } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import type { ChatReply } from "../../../kernel/llm/chat.ts";
import { Bell } from "../bell.ts";
import type { Answerer } from "./conversation.ts";

/** A reply as it comes: its reasoning and its text in pieces, then the whole of it, or why there is none. Exactly one `end`, at the end. */
export type AnswerEvent =
  | { type: "delta"; text: string }
  | { type: "reasoning"; text: string }
  | { type: "end"; result: Result<ChatReply> };

/** One answer under way, read event by event by one reader. What is not read yet waits, bounded by the reply's own bound. */
export class AnswerEvents {
  readonly #left = new AbortController();
  readonly #queue: AnswerEvent[] = [];
  readonly #bell = new Bell();

  /** Asks `answerer` at once. `signal` tells it that the client has gone. */
  constructor(answerer: Answerer, signal: AbortSignal) {
    const hooks = {
      signal: AbortSignal.any([signal, this.#left.signal]),
      onDelta: (text: string) => this.#push({ type: "delta", text }),
      onReasoning: (text: string) => this.#push({ type: "reasoning", text }),
    };
    answerer.answer(hooks).then(
      (result) => this.#push({ type: "end", result }),
      (cause: unknown) => this.#push({ type: "end", result: broken(cause) }),
    );
  }

  /** The next event, or null when none has come after `patienceMs`. */
  async next(patienceMs: number): Promise<AnswerEvent | null> {
    // A ring that was kept may be about what was read already.
    while (this.#queue.length === 0 && (await this.#bell.rings(patienceMs)));
    return this.#queue.shift() ?? null;
  }

  /** The whole reply, for whoever wants no pieces. */
  async result(): Promise<Result<ChatReply>> {
    for (;;) {
      const event = await this.next(LIMITS.heartbeatMs);
      if (event?.type === "end") return event.result;
    }
  }

  /** Nobody reads on. */
  cancel(): void {
    this.#left.abort();
  }

  #push(event: AnswerEvent): void {
    this.#queue.push(event);
    this.#bell.ring();
  }
}

/** A bug, told to the client in the shape of the stream: the status of the reply may have left already. */
function broken(cause: unknown): Result<never> {
  console.error(JSON.stringify({ level: "error", event: "openai.unexpected", message: String(cause) }));
  return err("internal", "Something broke inside the kernel. It is logged.");
}
