import type { RuleKind, RuleScope } from "../../../kernel/scheduler/approval-rules.ts";
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
  /** What an approval is about, and what is known of it; null for a question. */
  action: Action | null;
  decision: Decision | null;
  /** For the record. */
  note: string | null;
  /** RFC 3339. */
  createdAt: string;
  /** RFC 3339: when the process gives up waiting; null = never. */
  expiresAt: string | null;
}

/** One exact try of a call: one that is held and has not run, or one whose outcome nobody knows. */
export interface Action {
  tool: string;
  callId: string;
  /** 1, 2, 3, ... */
  attempt: number;
  /** The arguments as JSON; a long text is cut, its hash is not. */
  input: string;
  inputSha256: string;
  /** RFC 3339. */
  startedAt: string;
  /** Why the outcome is not known; or that it has not run. */
  known: string;
  /** SHA-256 of agent, call, tool and input as it will run. Give it with the decision, so that it is about what you saw. */
  actionSha256?: string;
  /** Of a held call. SHA-256 of the input as it will run, for a rule about exactly this. */
  canonicalSha256?: string;
  /** Of a held call: the host that it acts at, or null. */
  host?: string | null;
  /** Of a held call: why somebody is asked. */
  reasons?: { kind: "irreversible" | "setting" | "provenance"; message: string }[];
}

/**
 * Of a call that is held: `approve` = run it, once; `deny` = tell the agent no. Of one whose outcome is unknown: `done` = it happened; `not_done` = it did not: it runs again, once, under the same key; `abandon` = nobody will find out,
 * and the message ends as parked.
 */
export type Decision = "approve" | "deny" | "done" | "not_done" | "abandon";

export interface DecisionOptions {
  /** What a done action answered, as the agent is to be told. */
  answer?: string | undefined;
  /** For the record; with `deny`, the agent is told. */
  note?: string | undefined;
  /** The action that was seen: a decision on any other is a `conflict`. */
  actionSha256?: string | undefined;
  /** Makes a rule that decides alike from now on. `until` is RFC 3339; without `for` it is about exactly this input. */
  remember?: { scope: RuleScope; for?: RuleKind; until?: string } | undefined;
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
    return this.#say(approvalId, { answer });
  }

  /**
   * `POST /v1/approvals/{id}`: decides on an action. `conflict` when it is not open, or is about something else by now.
   */
  decide(approvalId: string, decision: Decision, options: DecisionOptions = {}): Promise<Approval> {
    return this.#say(approvalId, { decision, ...options });
  }

  #say(approvalId: string, body: object): Promise<Approval> {
    return this.#transport.json(`/v1/approvals/${encodeURIComponent(approvalId)}`, { method: "POST", body });
  }
}
