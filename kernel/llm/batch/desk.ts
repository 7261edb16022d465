import { callIdOf } from "../../id.ts";
import { settlementOf } from "../../process/model-call.ts";
import type { ChatRequest } from "../chat.ts";
import type { ChatFailure } from "../classify.ts";
import type { ChatOutcome } from "../provider.ts";
import type { BatchRequest } from "./batch-request.ts";
import type { JobDesk, LotRequest, RequestOutcome } from "./driver.ts";
import type { DriverChoice } from "./drivers.ts";
import type { JobParts } from "./job-parts.ts";
import type { RequestRow } from "./job-tables.ts";
import type { LotRow } from "./lot-table.ts";
import { resultLine } from "./result-line.ts";

/** The tables as the driver of one lot sees them. An outcome and its bill are one transaction. */
export class Desk implements JobDesk {
  readonly tag: string;
  readonly #parts: JobParts;
  readonly #lot: number;
  readonly #choice: DriverChoice;

  constructor(parts: JobParts, lot: number, choice: DriverChoice) {
    this.tag = `${parts.tables.job().id}/${lot}`;
    this.#parts = parts;
    this.#lot = lot;
    this.#choice = choice;
  }

  lot(): LotRow {
    return this.#parts.tables.lot(this.#lot);
  }

  change(fields: Partial<Omit<LotRow, "lot">>): void {
    this.#parts.tables.changeLot(this.#lot, fields as Parameters<JobParts["tables"]["changeLot"]>[1]);
  }

  requests(state: "reserved" | "sent", after: number, limit: number): LotRequest[] {
    const rows = this.#parts.tables.ofLot(this.#lot, state, after, limit);
    return rows.map((row) => ({
      position: row.position,
      attempt: row.attempt,
      request: chatRequestOf(row, this.#choice.model, this.#parts.tenant),
    }));
  }

  send(position: number): void {
    this.#parts.tables.send(position);
  }

  record(outcomes: readonly RequestOutcome[]): void {
    if (outcomes.length === 0) return;
    const { tables, clock } = this.#parts;
    this.#parts.tx.run(() => {
      const counts = { completed: 0, failed: 0, costNanoUsd: 0 };
      for (const { position, outcome } of outcomes) {
        const row = this.#mine(position);
        if (row === null) continue;
        const costNanoUsd = this.#bill(row, outcome);
        const callId = callIdOfRow(this.#parts, row);
        tables.end(position, resultLine({ callId, customId: row.custom_id, model: row.model, costNanoUsd }, outcome));
        counts[outcome.ok ? "completed" : "failed"] += 1;
        counts.costNanoUsd += costNanoUsd;
      }
      tables.count(counts, clock.now());
      const expired = outcomes.map(({ outcome }) => outcome).find(isExpiry);
      if (expired !== undefined) tables.change({ error: JSON.stringify(expired.error) }, clock.now());
    });
  }

  retry({ position, outcome }: RequestOutcome, retryAt: number): void {
    const { tables, clock } = this.#parts;
    this.#parts.tx.run(() => {
      const row = this.#mine(position);
      if (row === null) return;
      const costNanoUsd = this.#bill(row, outcome);
      tables.count({ completed: 0, failed: 0, costNanoUsd }, clock.now());
      tables.reopen(position, retryAt);
    });
  }

  running(): void {
    const { tables, clock } = this.#parts;
    if (tables.job().state === "validating") tables.change({ state: "running", error: null }, clock.now());
  }

  stopping(): "cancelled" | "expired" | null {
    return stoppingOf(this.#parts);
  }

  now(): number {
    return this.#parts.clock.now();
  }

  /** The request, if this lot still has to answer for it. */
  #mine(position: number): RequestRow | null {
    const row = this.#parts.tables.request(position);
    return row !== null && row.lot === this.#lot && row.state !== "done" ? row : null;
  }

  /** What the call costs goes into the outbox for the core. */
  #bill(row: RequestRow, outcome: ChatOutcome): number {
    const { price } = this.#choice;
    const call = { price, reservedNanoUsd: row.reserved_nano_usd };
    const settlement = settlementOf(outcome, call, this.#parts.clock.now());
    this.#parts.tables.bill({ callId: callIdOfRow(this.#parts, row), ...settlement });
    return settlement.costNanoUsd;
  }
}

/** The vendor's window or ours has passed; a call of the pool that took too long is another matter, and was tried again. */
function isExpiry(outcome: ChatOutcome): outcome is ChatFailure {
  return !outcome.ok && outcome.error.code === "deadline_exceeded" && !outcome.retryable;
}

/** A call's id follows from job, request and attempt. */
export function callIdOfRow({ tables, hash }: JobParts, row: Pick<RequestRow, "position" | "attempt">): string {
  return callIdOf(`${tables.job().id}/${row.position}/${row.attempt}`, hash);
}

export function chatRequestOf(row: RequestRow, model: string, tenant: string): ChatRequest {
  const { messages, tools, temperature } = JSON.parse(row.body) as Omit<BatchRequest, "model" | "customId">;
  return {
    model,
    messages,
    tools,
    maxOutputTokens: row.max_output_tokens,
    ...(temperature === undefined ? {} : { temperature }),
    user: tenant,
  };
}

export function stoppingOf({ tables, clock }: JobParts): "cancelled" | "expired" | null {
  const { state, expires_at: expiresAt } = tables.job();
  if (state === "cancelling") return "cancelled";
  return clock.now() >= expiresAt ? "expired" : null;
}
