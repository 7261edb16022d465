import type { LiveText } from "../../kernel/process/parts.ts";
import type { WatchFrame } from "./watch.ts";

/** The text of the reply that is arriving, kept in memory only, so that a late watcher gets a snapshot and then deltas. */
export class LiveReply implements LiveText {
  readonly #send: (frame: WatchFrame) => void;
  #now: { callId: string; text: string } | null = null;

  constructor(send: (frame: WatchFrame) => void) {
    this.#send = send;
  }

  begin(callId: string): void {
    this.#now = { callId, text: "" };
  }

  delta(callId: string, text: string): void {
    if (this.#now?.callId !== callId) return;
    this.#now.text += text;
    this.#send({ event: "text-delta", data: { callId, text } });
  }

  end(callId: string): void {
    if (this.#now?.callId === callId) this.#now = null;
  }

  /** What has arrived so far, or null when nothing is arriving. */
  snapshot(): WatchFrame | null {
    return this.#now === null || this.#now.text === "" ? null : { event: "text-snapshot", data: { ...this.#now } };
  }
}
