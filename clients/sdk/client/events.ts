import { setTimeout as sleep } from "node:timers/promises";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { LIMITS } from "../../../kernel/limits.ts";
import { agentPath } from "./agents.ts";
import { AosError } from "./aos-error.ts";
import type { Transport } from "./transport.ts";

/** One event of a process. Log entries carry their sequence number; token deltas and snapshots carry none. */
export interface AgentEvent {
  /** Sequence number in the process's log, or null for what is not stored. */
  id: number | null;
  /** Kind of the log entry, e.g. `call.end`; or `text-snapshot`, `text-delta`, `caught-up`, `end`. */
  event: string;
  /** RFC 3339; null for what is not stored. */
  at: string | null;
  data: Record<string, unknown>;
}

export interface WatchOptions {
  /** Log sequence number to begin after; 0 = from the first event, and the default. */
  after?: number;
  /** Ends the watch without an error. */
  signal?: AbortSignal;
}

/** The event stream of a process. */
export class Events {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * `GET .../events`: every log entry after `after`, then live. A cut connection is resumed where it broke, by
   * `Last-Event-ID`; the iteration ends with the process, by the event `end`, which it yields last. Throws an
   * `AosError` when the kernel refuses, or stays away for several tries in a row.
   */
  async *watch(agentId: string, options: WatchOptions = {}): AsyncGenerator<AgentEvent> {
    let after = options.after ?? 0;
    let failures = 0;
    while (!options.signal?.aborted) {
      try {
        for await (const event of this.#connection(agentId, after, options.signal)) {
          failures = 0;
          after = event.id ?? after;
          yield event;
          if (event.event === "end") return;
        }
      } catch (error) {
        if (options.signal?.aborted) return;
        if (!isCut(error) || ++failures > LIMITS.watchFailures) throw error;
      }
      await sleep(LIMITS.clientBackoffMs * 2 ** failures);
    }
  }

  /** One connection, until the server or the network ends it. Silence for two heartbeats counts as a cut. */
  async *#connection(agentId: string, after: number, signal: AbortSignal | undefined): AsyncGenerator<AgentEvent> {
    const silence = new AbortController();
    const watchdog = setTimeout(() => silence.abort(new Error("silence")), LIMITS.clientRequestMs);
    const request = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal;
    try {
      const response = await this.#transport.stream(`${agentPath(agentId)}/events`, {
        headers: { accept: "text/event-stream", "last-event-id": String(after) },
        signal: request,
      });
      for await (const message of messages(response, () => watchdog.refresh())) yield eventOf(message);
    } finally {
      clearTimeout(watchdog);
      silence.abort();
    }
  }
}

type Message = { id?: string | undefined; event?: string | undefined; data: string };

/** Heartbeats are comments: they yield nothing, and count as a sign of life. */
async function* messages(response: Response, onLife: () => void): AsyncGenerator<Message> {
  if (response.body === null) return;
  const alive = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      onLife();
      controller.enqueue(chunk);
    },
  });
  const decoder = new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>;
  yield* response.body.pipeThrough(alive).pipeThrough(decoder).pipeThrough(new EventSourceParserStream());
}

function eventOf(message: Message): AgentEvent {
  const data = JSON.parse(message.data) as Record<string, unknown>;
  const id = message.id === undefined || message.id === "" ? null : Number(message.id);
  return { id, event: message.event ?? "message", at: typeof data["at"] === "string" ? data["at"] : null, data };
}

function isCut(error: unknown): boolean {
  return !(error instanceof AosError) || error.status === 0 || error.status >= 500;
}
