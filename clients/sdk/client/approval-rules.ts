import type { ApprovalRule, RuleSpec } from "../../../kernel/scheduler/approval-rules.ts";
import type { Listing, ListOptions } from "./listing.ts";
import type { Transport } from "./transport.ts";

/** Routes for rules that answer approvals in a person's place. They hold from an agent's next call on, and widen no level and no grant. */
export class ApprovalRules {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `GET /v1/approval-rules`: one page, the oldest first. */
  list(options: ListOptions = {}): Promise<Listing<ApprovalRule>> {
    return this.#transport.json("/v1/approval-rules", { query: { ...options } });
  }

  /** `POST /v1/approval-rules`. Of two rules that fit, the one that denies counts. */
  add(rule: RuleSpec): Promise<ApprovalRule> {
    return this.#transport.json("/v1/approval-rules", { method: "POST", body: rule, idempotencyKey: true });
  }

  /** `DELETE /v1/approval-rules/{id}`. */
  async delete(ruleId: string): Promise<void> {
    await this.#transport.json(`/v1/approval-rules/${encodeURIComponent(ruleId)}`, { method: "DELETE" });
  }
}
