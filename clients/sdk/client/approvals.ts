import type { Listing, ListOptions } from "./listing.ts";
import type { Transport } from "./transport.ts";

/** Something that only a person can give: an answer to a question (`ask_person`), or leave to do one exact action. */
export interface Approval {
  id: string;
  agentId: string;
  kind: "approval" | "question";
  state: "open" | "answered" | "withdrawn";
  question: string;
  /** What the process offers to choose from; null = free text. */
  options: string[] | null;
  answer: string | null;
  /** RFC 3339. */
  createdAt: string;
}

/** Routes for people in the loop. */
export class Approvals {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `GET /v1/approvals`: one page. */
  list(options: ListOptions & { state?: "open" | "answered" } = {}): Promise<Listing<Approval>> {
    return this.#transport.json("/v1/approvals", { query: { ...options } });
  }

  /** `POST /v1/approvals/{id}`: answers a question; the process goes on. `conflict` when it is not open. */
  answer(approvalId: string, answer: string): Promise<Approval> {
    return this.#transport.json(`/v1/approvals/${encodeURIComponent(approvalId)}`, {
      method: "POST",
      body: { answer },
    });
  }
}
