import { createParser, type EventSourceMessage } from "eventsource-parser";
import { type BodyEnd, type ReadBounds, readBody } from "./body-reader.ts";

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
