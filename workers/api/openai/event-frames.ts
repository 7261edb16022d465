import { LIMITS } from "../../../kernel/limits.ts";
import type { AnswerEvent, AnswerEvents } from "./answer-events.ts";

/**
 * Server-Sent Events made of answer events. A writer turns each into frames; while nothing comes, comments keep the
 * connection open. The stream is pulled, so a slow client holds back nothing but its own copy of a bounded reply.
 */
export interface FrameWriter {
  /** Frames before the first event. */
  begin(): string;
  write(event: AnswerEvent): string;
}

const KEEP_ALIVE = ": keep-alive\n\n";
const ENCODER = new TextEncoder();

/** One frame; `data` that is text goes as it is. */
export function frame(data: unknown, event?: string): string {
  const name = event === undefined ? "" : `event: ${event}\n`;
  return `${name}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
}

/**
 * What is still to be written of `content` when `written` has left: an agent's earlier steps may stand before its reply,
 * and a watcher that came late may have missed its beginning.
 */
export function restOf(content: string, written: string): string {
  if (content.startsWith(written)) return content.slice(written.length);
  return written.endsWith(content) ? "" : `\n\n${content}`;
}

/** `first` is what came before the status was chosen, or null. */
export function eventFrames(events: AnswerEvents, first: AnswerEvent | null, writer: FrameWriter): Response {
  const source: UnderlyingSource<Uint8Array> = {
    start(controller: ReadableStreamDefaultController<Uint8Array>) {
      controller.enqueue(ENCODER.encode(writer.begin()));
      if (first !== null) send(controller, writer, first);
    },
    async pull(controller: ReadableStreamDefaultController<Uint8Array>) {
      const event = await events.next(LIMITS.heartbeatMs);
      if (event === null) controller.enqueue(ENCODER.encode(KEEP_ALIVE));
      else send(controller, writer, event);
    },
    cancel: () => events.cancel(),
  };
  const headers = { "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store" };
  return new Response(new ReadableStream(source), { headers });
}

function send(controller: ReadableStreamDefaultController<Uint8Array>, writer: FrameWriter, event: AnswerEvent): void {
  const text = writer.write(event);
  // A stream that got nothing is not pulled again, so every event leaves something.
  controller.enqueue(ENCODER.encode(text === "" ? KEEP_ALIVE : text));
  if (event.type === "end") controller.close();
}
