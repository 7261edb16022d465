import type { WatchFrame } from "../../durable-objects/agent/watch.ts";
import { ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { AgentObject } from "../objects.ts";
import { WatchSocket } from "./watch-socket.ts";

/**
 * Server-Sent Events from an agent's event socket. `id` is the log's sequence number, `event` the kind of the entry,
 * `data` its facts with `at`; text snapshots and deltas have no id, because they are not stored. Only `event: end` is an
 * end: a stream that stops without it was cut, and the client resumes with `Last-Event-ID`.
 *
 * A slow reader is served at its own pace while the log is replayed; when live events outrun it, it is cut.
 */
export async function eventStream(
  agent: AgentObject,
  after: number,
  signal: AbortSignal,
): Promise<Result<ReadableStream<Uint8Array>>> {
  const adapter = new EventStream();
  const socket = await WatchSocket.open(agent, after, {
    frame: (frame) => adapter.push(frame),
    close: () => adapter.end(),
  });
  if (!socket.ok) return socket;
  signal.addEventListener("abort", () => adapter.end());
  return ok(adapter.start(socket.value));
}

const ENCODER = new TextEncoder();
const READ_AHEAD_BYTES = 64 * 1024;

class EventStream {
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #socket: WatchSocket | null = null;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  /** Frames that came before the stream had a reader. */
  readonly #early: WatchFrame[] = [];
  /** Where the replay goes on when the reader has caught up with what was sent. */
  #nextBatch: number | null = null;
  #ended = false;

  start(socket: WatchSocket): ReadableStream<Uint8Array> {
    this.#socket = socket;
    if (this.#ended) return this.#cut(socket);
    const source = {
      start: (controller: ReadableStreamDefaultController<Uint8Array>) => this.#begin(controller),
      pull: () => this.#pull(),
      cancel: () => this.end(),
    };
    return new ReadableStream(source, new ByteLengthQueuingStrategy({ highWaterMark: READ_AHEAD_BYTES }));
  }

  /** The socket or the client was lost before there was a stream. */
  #cut(socket: WatchSocket): ReadableStream<Uint8Array> {
    socket.close();
    return new ReadableStream({ start: (controller) => controller.close() });
  }

  push(frame: WatchFrame): void {
    if (this.#ended) return;
    if (this.#controller === null) this.#early.push(frame);
    else if (frame.event === "more") this.#more(frame.data as { after: number });
    else if (frame.event === "caught-up") this.#write(": caught up\n\n");
    else this.#send(frame);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#heartbeat);
    this.#socket?.close();
    try {
      this.#controller?.close();
    } catch {
      // The reader has cancelled it already.
    }
  }

  #begin(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    this.#heartbeat = setInterval(() => this.#write(": heartbeat\n\n"), LIMITS.heartbeatMs);
    this.#write(": connected\n\n");
    for (const frame of this.#early.splice(0)) this.push(frame);
  }

  #more({ after }: { after: number }): void {
    this.#nextBatch = after;
    if ((this.#controller?.desiredSize ?? 0) > 0) this.#pull();
  }

  #pull(): void {
    if (this.#nextBatch === null || this.#ended) return;
    const after = this.#nextBatch;
    this.#nextBatch = null;
    this.#socket?.next(after);
  }

  #send(frame: WatchFrame): void {
    const id = "id" in frame ? `id: ${frame.id}\n` : "";
    this.#write(`${id}event: ${frame.event}\ndata: ${JSON.stringify(factsOf(frame))}\n\n`);
    if (frame.event === "end") this.end();
  }

  #write(text: string): void {
    if (this.#ended || this.#controller === null) return;
    this.#controller.enqueue(ENCODER.encode(text));
    if ((this.#controller.desiredSize ?? 0) < -LIMITS.eventBacklogBytes) this.end();
  }
}

/** A log entry's facts carry the time of the entry, which has no field of its own in Server-Sent Events. */
function factsOf(frame: WatchFrame): unknown {
  return "at" in frame ? { at: frame.at, ...(frame.data as object) } : frame.data;
}
