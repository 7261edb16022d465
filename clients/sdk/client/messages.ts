import { LIMITS } from "../../../kernel/limits.ts";
import type { MessageState, MessageView } from "../../../kernel/process/message.ts";
import type { LabelInput } from "../../../kernel/security/label.ts";
import { agentPath } from "./agents.ts";
import type { Listing, ListOptions } from "./listing.ts";
import type { Transport } from "./transport.ts";

/** What sending answers: with `waitSeconds`, how the message ended, if it did in time. */
export interface SentMessage {
  messageId: string;
  /** Absent when the message has not ended yet. */
  state?: MessageState;
  /** There when `state` is `answered`. */
  reply?: string;
  /** There when `state` is `failed` or `parked`. */
  error?: { code: string; message: string };
}

/** Routes of a process's mailbox. Every accepted message ends as answered, failed, parked or cancelled. */
export class Messages {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * `POST .../messages`: durable when it answers. With `waitSeconds` (at most 300) it waits for the reply.
   * `trust: "untrusted"` = data, and no orders. `mailbox_full`, `process_terminated`.
   */
  send(
    agentId: string,
    content: string,
    options: { waitSeconds?: number; idempotencyKey?: string } & LabelInput = {},
  ): Promise<SentMessage> {
    const { waitSeconds: wait, trust, sensitivity } = options;
    return this.#transport.json(`${agentPath(agentId)}/messages`, {
      method: "POST",
      body: { content, trust, sensitivity, wait },
      idempotencyKey: options.idempotencyKey ?? true,
      deadlineMs: (wait ?? 0) * 1_000 + LIMITS.clientRequestMs,
    });
  }

  /** `GET .../messages`: one page of the mailbox. */
  list(agentId: string, options: ListOptions = {}): Promise<Listing<MessageView>> {
    return this.#transport.json(`${agentPath(agentId)}/messages`, { query: { ...options } });
  }

  /** `GET .../messages/{messageId}`. */
  get(agentId: string, messageId: string): Promise<MessageView> {
    return this.#transport.json(`${agentPath(agentId)}/messages/${encodeURIComponent(messageId)}`);
  }

  /** `DELETE .../messages/{messageId}`: cancels one that is queued or running; `conflict` when it has ended. */
  cancel(agentId: string, messageId: string): Promise<MessageView> {
    return this.#transport.json(`${agentPath(agentId)}/messages/${encodeURIComponent(messageId)}`, {
      method: "DELETE",
    });
  }
}
