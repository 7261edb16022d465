import { createParser, type EventSourceMessage } from "eventsource-parser";
import { type BodyEnd, type ReadBounds, readBody, readText } from "./body-reader.ts";
import type { ReplyFrame } from "./reply-frame.ts";
import { completion, parseJson, vendorError } from "./wire.ts";

/** Server-sent events of a reply, in order; the last item says how the stream ended. Comments (keep-alives) are ignored. */

export type StreamItem = { type: "event"; name: string; data: string } | { type: "end"; why: BodyEnd };

export async function* readEvents(
  body: ReadableStream<Uint8Array> | null,
  bounds: ReadBounds,
): AsyncGenerator<StreamItem, void, void> {
  const decoder = new TextDecoder();
  const events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => events.push(event) });
  for await (const item of readBody(body, bounds)) {
    if (item.type === "end") return yield item;
    parser.feed(decoder.decode(item.bytes, { stream: true }));
    for (const { event = "", data } of events.splice(0)) yield { type: "event", name: event, data };
  }
}

const TERMINAL_EVENT = "[DONE]";

/** The frames of a streamed chat completion. */
export async function* completionFrames(
  body: ReadableStream<Uint8Array> | null,
  bounds: ReadBounds,
): AsyncGenerator<ReplyFrame, void, void> {
  for await (const item of readEvents(body, bounds)) {
    if (item.type === "end") return yield item;
    if (item.data === TERMINAL_EVENT) return yield { type: "done" };
    yield completionFrame(item.data);
  }
}

/** The frames of a whole chat completion: simple servers answer a streaming request with one JSON value. */
export async function* wholeCompletion(
  body: ReadableStream<Uint8Array> | null,
  bounds: ReadBounds,
): AsyncGenerator<ReplyFrame, void, void> {
  const { text, why } = await readText(body, bounds);
  if (why !== "eof") return yield { type: "end", why };
  yield completionFrame(text);
  yield { type: "done" };
}

function completionFrame(text: string): ReplyFrame {
  const value = parseJson(text);
  const error = vendorError(value);
  if (error !== null) return { type: "error", error };
  const parsed = completion.safeParse(value);
  return parsed.success
    ? { type: "chunk", chunk: parsed.data }
    : { type: "malformed", problem: "is not the JSON of a chat completion" };
}
