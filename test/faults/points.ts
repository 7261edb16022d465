import { EventEmitter, once } from "node:events";

/**
 * The moments at which the run kills. Production code has no hooks for it: what tells them is the event stream, the journal
 * of the model server, writes to the files of the local state, and what the load itself sends.
 */
export const POINTS = {
  random: "any moment",
  starting: "while the kernel starts",
  "message accepted": "event message.accepted",
  "turn started": "event turn.start",
  "pending row": "event call.start of a model call: before the call",
  "queue send": "the same in the batch lane: before the message is in the queue, or before its claim",
  "claimed call": "the model server has a request of the batch lane: a consumer holds the call",
  "call delivery": "the model server has answered one: before its outcome is with the agent",
  "model call": "the model server has the request",
  "reply begins": "the model server is about to answer",
  "reply sent": "the model server has answered: before the result's commit",
  "result commit": "event call.end of a model call",
  "tool started": "event call.start of a tool",
  "tool commit": "event call.end of a tool",
  "tool request": "a tool server has a request: before it acts, or at it",
  "tool effect": "a tool server has acted: before its reply, or before the result's commit",
  "message done": "event message.done",
  "core write": "the core's database was written: a grant, a settlement",
  "d1 projection": "D1 was written",
  "r2 put": "an object was written: before the page table",
  "page table": "event page.segment: before the catalogue",
  "page spill": "event page.spill",
  ingest: "pages were sent",
  spawn: "a spawn was sent",
  erase: "an erasure was sent",
} as const;
export type Point = keyof typeof POINTS;

/** Points that come with a large ingest only, and some time after it. */
export const SPILLS: readonly Point[] = ["r2 put", "page table", "page spill", "ingest"];

export class PointBus {
  readonly #events = new EventEmitter();

  reached(point: Point): void {
    this.#events.emit(point);
  }

  /** Waits for the next time; false when it did not come within `ms`. */
  async next(point: Point, ms: number): Promise<boolean> {
    const late = AbortSignal.timeout(ms);
    return once(this.#events, point, { signal: late }).then(
      () => true,
      () => false,
    );
  }
}
