import type { WatchFrame } from "../../../durable-objects/agent/watch.ts";
import type { AgentObject } from "../../objects.ts";
import { answer } from "../../objects.ts";
import { WatchSocket } from "../watch-socket.ts";

/**
 * The text of an agent's reply to one message while it is written. Deltas name no message, but the log says when a turn
 * begins, and an agent has one turn at a time. Text is a comfort here: without a socket the reply still comes whole.
 */
export class LiveMessage {
  readonly #onDelta: (text: string) => void;
  #socket: WatchSocket | null = null;
  #messageId: string | null = null;
  /** The message of the turn that runs, as the log last said. */
  #turn: string | null = null;
  /** What the running turn wrote before it was known whose it is. */
  #early = "";

  private constructor(onDelta: (text: string) => void) {
    this.#onDelta = onDelta;
  }

  /** Subscribed when it resolves, so nothing that is said to a message sent afterwards is missed. */
  static async watch(agent: AgentObject, onDelta: (text: string) => void): Promise<LiveMessage> {
    const live = new LiveMessage(onDelta);
    const head = await answer(agent.log({ after: Number.MAX_SAFE_INTEGER, limit: 1 }));
    if (!head.ok) return live;
    const socket = await WatchSocket.open(agent, head.value.head, {
      frame: (frame) => live.#take(frame),
      close: () => {},
    });
    live.#socket = socket.ok ? socket.value : null;
    return live;
  }

  follow(messageId: string): void {
    this.#messageId = messageId;
    if (this.#turn === messageId && this.#early !== "") this.#onDelta(this.#early);
    this.#early = "";
  }

  close(): void {
    this.#socket?.close();
  }

  #take(frame: WatchFrame): void {
    if (frame.event === "turn.start") this.#begin((frame.data as { messageId?: string }).messageId ?? null);
    if (frame.event === "text-delta" && this.#turn !== null) this.#write((frame.data as { text: string }).text);
  }

  #begin(messageId: string | null): void {
    this.#turn = messageId;
    this.#early = "";
  }

  #write(text: string): void {
    if (this.#messageId === null) this.#early += text;
    else if (this.#turn === this.#messageId) this.#onDelta(text);
  }
}
