import { LIMITS } from "../../../kernel/limits.ts";
import type { TrailReport } from "../../../kernel/log/verification.ts";
import type { CostGroup, CostReport } from "../../../kernel/scheduler/costs.ts";
import type { LedgerEntry } from "../../../kernel/scheduler/ledger.ts";
import { everyItem, type Listing, type ListOptions } from "./listing.ts";
import type { Transport } from "./transport.ts";

/** One entry of an audit trail: a view of the hash-chained log. */
export interface AuditEntry {
  seq: number;
  /** RFC 3339. */
  at: string;
  /** Dotted name of what happened, e.g. `call.end`. */
  action: string;
  callId: string | null;
  /** `key:<id>`, `agent:<id>` or `kernel`. */
  actor: string;
  /** What was acted on; null = the agent or tenant itself. */
  target: string | null;
  decision: "allowed" | "denied";
  /** Why it was allowed or denied, where a rule decided. */
  reason: string | null;
  data: Record<string, unknown>;
  hash: string;
}

/** What happened and what it cost: the ledger and the audit chain. */
export class Ledger {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `GET /v1/costs/calls`: call by call, the newest first. */
  calls(options: ListOptions & { agentId?: string } = {}): Promise<Listing<LedgerEntry>> {
    return this.#transport.json("/v1/costs/calls", { query: { ...options } });
  }

  /** `GET /v1/costs`. `from` and `to` are RFC 3339. */
  costs(options: { groupBy?: CostGroup; from?: string; to?: string } = {}): Promise<CostReport> {
    return this.#transport.json("/v1/costs", { query: { groupBy: "agent", ...options } });
  }

  /** `GET /v1/audit`: one page of the audit trail. */
  audit(
    options: ListOptions & { agentId?: string; action?: string; from?: string } = {},
  ): Promise<Listing<AuditEntry>> {
    return this.#transport.json("/v1/audit", { query: { ...options } });
  }

  /** The whole audit trail, or that of one agent: every log entry, oldest first. */
  entries(options: { agentId?: string } = {}): AsyncGenerator<AuditEntry> {
    return everyItem(this.#transport, "/v1/audit", { ...options });
  }

  /** `GET /v1/audit/verify`: the chain of one agent, or of the tenant when none is named, with what was exported of it. */
  verify(options: { agentId?: string } = {}): Promise<TrailReport> {
    return this.#transport.json("/v1/audit/verify", { query: { ...options }, deadlineMs: LIMITS.clientBulkMs });
  }

  /** `GET /v1/audit/export`: a whole trail as JSON Lines, to be read as it arrives. */
  async export(options: { agentId?: string } = {}): Promise<ReadableStream<Uint8Array>> {
    const call = { query: { ...options }, deadlineMs: LIMITS.clientBulkMs };
    const { body } = await this.#transport.send("/v1/audit/export", call);
    return body ?? new ReadableStream({ start: (controller) => controller.close() });
  }

  /** `POST /v1/audit/checkpoints`: exports and signs now what has changed. */
  checkpoint(): Promise<void> {
    return this.#transport.json("/v1/audit/checkpoints", { method: "POST", deadlineMs: LIMITS.clientBulkMs });
  }

  /** `GET /v1/audit/key`: who signs checkpoints; nulls when nobody does. */
  auditKey(): Promise<{ keyId: string | null; publicKey: string | null }> {
    return this.#transport.json("/v1/audit/key");
  }
}
