import { setTimeout as sleep } from "node:timers/promises";
import { EventSourceParserStream } from "eventsource-parser/stream";
import type { Api } from "./api.ts";
import type { Point, PointBus } from "./points.ts";

/** One log entry as a client saw it. */
export interface SeenEvent {
  seq: number;
  kind: string;
  /** `at` and the facts, as the stream sent them. */
  data: string;
}

const AGAIN_MS = 50;

/** Watches one agent through all crashes, resuming where it was cut, and keeps what it saw. */
export class Watcher {
  readonly agentId: string;
  readonly seen = new Map<number, SeenEvent>();
  /** Messages that ended, by id. */
  readonly done = new Set<string>();
  /** What must not be: an entry that changed, or a gap. */
  readonly faults: string[] = [];
  readonly #api: Api;
  readonly #bus: PointBus;
  readonly #batch: boolean;
  #after = 0;

  /** `batch` = the agent's model calls go through the queue. */
  constructor(api: Api, bus: PointBus, agentId: string, batch: boolean) {
    this.#batch = batch;
    this.#api = api;
    this.#bus = bus;
    this.agentId = agentId;
  }

  /** Until the process ends, is erased, or `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const over = await this.#connection(signal).catch(() => false);
      if (over) return;
      await sleep(AGAIN_MS);
    }
  }

  async #connection(signal: AbortSignal): Promise<boolean> {
    const response = await fetch(`${this.#api.url}/v1/agents/${this.agentId}/events`, {
      headers: { authorization: `Bearer ${this.#api.key}`, "last-event-id": String(this.#after) },
      signal,
    });
    if (response.status === 404) return true;
    if (!response.ok || response.body === null) return false;
    const decoder = new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>;
    for await (const event of response.body.pipeThrough(decoder).pipeThrough(new EventSourceParserStream())) {
      if (event.event === "end") return true;
      if (event.id !== undefined && event.id !== "")
        this.#take({ seq: Number(event.id), kind: event.event ?? "", data: event.data });
    }
    return false;
  }

  #take(event: SeenEvent): void {
    const known = this.seen.get(event.seq);
    if (known !== undefined && (known.kind !== event.kind || known.data !== event.data)) {
      this.faults.push(`entry ${event.seq} was ${known.kind} ${known.data} and is ${event.kind} ${event.data}`);
    }
    if (event.seq !== this.#after + 1) this.faults.push(`entry ${event.seq} came after ${this.#after}`);
    this.#after = event.seq;
    this.seen.set(event.seq, event);
    const facts = JSON.parse(event.data) as { name?: string; messageId?: string };
    if (event.kind === "message.done" && facts.messageId !== undefined) this.done.add(facts.messageId);
    const point = pointOf(event.kind, facts.name);
    if (point !== null) this.#bus.reached(point);
    if (point === "pending row" && this.#batch) this.#bus.reached("queue send");
  }
}

function pointOf(kind: string, name: string | undefined): Point | null {
  const model = name === "llm.complete";
  switch (kind) {
    case "message.accepted":
      return "message accepted";
    case "turn.start":
      return "turn started";
    case "call.start":
      return model ? "pending row" : "tool started";
    case "call.end":
      return model ? "result commit" : "tool commit";
    case "message.done":
      return "message done";
    case "page.segment":
      return "page table";
    case "page.spill":
      return "page spill";
    default:
      return null;
  }
}
