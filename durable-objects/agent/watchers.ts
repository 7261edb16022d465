import * as z from "zod";
import { LIMITS } from "../../kernel/limits.ts";
import type { Log, LogEntry } from "../../kernel/log/log.ts";
import type { WatchFrame } from "./watch.ts";

/**
 * The sockets of those who watch the object. They hibernate with it: what a watcher has seen stands in the socket's
 * attachment, so an eviction between two events changes nothing. Frames: see watch.ts.
 */

type Attachment = { after: number; live: boolean };

const TAG = "watch";
const request = z.object({ after: z.int().nonnegative() });

interface Watched {
  log: Log;
  /** Whether the process has terminated: then the end of the log is the end of the stream. */
  ended(): boolean;
  snapshot(): WatchFrame | null;
}

export class Watchers {
  readonly #ctx: DurableObjectState;
  readonly #watched: Watched;

  constructor(ctx: DurableObjectState, watched: Watched) {
    this.#ctx = ctx;
    this.#watched = watched;
  }

  /** Accepts a watcher that has seen everything up to `after`. */
  accept(after: number): Response {
    if (this.#ctx.getWebSockets(TAG).length >= LIMITS.watchersPerAgent) {
      return new Response(`${LIMITS.watchersPerAgent} watch already`, { status: 429 });
    }
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server, [TAG]);
    this.#replay(server, after);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** A watcher asks for the next batch. Anything else that it says is ignored. */
  message(socket: WebSocket, text: string | ArrayBuffer): void {
    const parsed = request.safeParse(typeof text === "string" ? parse(text) : null);
    if (parsed.success) this.#replay(socket, parsed.data.after);
  }

  /** Pushes what was just committed to those who have seen all before it. */
  publish(entries: readonly LogEntry[]): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    for (const socket of this.#ctx.getWebSockets(TAG)) {
      const attachment = socket.deserializeAttachment() as Attachment;
      if (!attachment.live) continue;
      for (const entry of entries) if (entry.seq > attachment.after) send(socket, frameOf(entry));
      this.#seen(socket, last.seq);
    }
  }

  /** Pushes what is not stored: text as it arrives. */
  show(frame: WatchFrame): void {
    for (const socket of this.#ctx.getWebSockets(TAG)) {
      if ((socket.deserializeAttachment() as Attachment).live) send(socket, frame);
    }
  }

  /** Closes all sockets: the object is being erased. */
  close(): void {
    for (const socket of this.#ctx.getWebSockets(TAG)) socket.close(1000, "erased");
  }

  #replay(socket: WebSocket, after: number): void {
    const entries = this.#watched.log.after(after, LIMITS.eventReplayRows);
    for (const entry of entries) send(socket, frameOf(entry));
    const seen = entries.at(-1)?.seq ?? after;
    if (entries.length === LIMITS.eventReplayRows) {
      socket.serializeAttachment({ after: seen, live: false } satisfies Attachment);
      return send(socket, { event: "more", data: { after: seen } });
    }
    send(socket, { event: "caught-up", data: { seq: seen } });
    const snapshot = this.#watched.snapshot();
    if (snapshot !== null) send(socket, snapshot);
    this.#seen(socket, seen);
  }

  #seen(socket: WebSocket, seq: number): void {
    socket.serializeAttachment({ after: seq, live: true } satisfies Attachment);
    if (this.#watched.ended()) send(socket, { event: "end", data: { seq } });
  }
}

function frameOf(entry: LogEntry): WatchFrame {
  const data = { ...entry.data, actor: entry.actor, ...(entry.callId === null ? {} : { callId: entry.callId }) };
  return { id: entry.seq, event: entry.kind, at: new Date(entry.at).toISOString(), data };
}

function send(socket: WebSocket, frame: WatchFrame): void {
  try {
    socket.send(JSON.stringify(frame));
  } catch {
    // The watcher is gone; its close event cleans up.
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
