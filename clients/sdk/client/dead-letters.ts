import type { Listing, ListOptions } from "./listing.ts";
import type { Transport } from "./transport.ts";

/** A model call of the batch lane that the queue gave up. */
export interface DeadLetter {
  callId: string;
  agentId: string;
  /** Why it was given up, in words for people. */
  reason: string;
  /** How often the call had been put into the queue. */
  attempts: number;
  /** RFC 3339. */
  at: string;
}

/** Routes for what the calls queue could not deliver. */
export class DeadLetters {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `GET /v1/dead-letters`: one page. */
  list(options: ListOptions = {}): Promise<Listing<DeadLetter>> {
    return this.#transport.json("/v1/dead-letters", { query: { ...options } });
  }

  /** `POST /v1/dead-letters/{callId}/retry`: sends it once more, off the list. `conflict` when its call has ended. */
  retry(callId: string): Promise<DeadLetter> {
    return this.#transport.json(`/v1/dead-letters/${encodeURIComponent(callId)}/retry`, { method: "POST" });
  }
}
