import { LIMITS } from "../../../limits.ts";
import type { ChatRequest } from "../../chat.ts";
import type { LotDesk, LotRequest, RequestOutcome } from "../driver.ts";
import type { LotRow } from "../lot-table.ts";
import type { EconomyParts } from "./economy-parts.ts";

/** The pool's tables as the driver of one lot sees them. Money is the agents' matter: they settle what they are told. */
export class EconomyDesk implements LotDesk {
  /** After a call's id, which nobody else has: other kernels may share the vendor's account. */
  readonly tag: string;
  readonly #parts: EconomyParts;
  readonly #lot: number;

  constructor(parts: EconomyParts, lot: number) {
    this.tag = `economy/${parts.tables.firstCallId(lot)}`;
    this.#parts = parts;
    this.#lot = lot;
  }

  lot(): LotRow {
    return this.#parts.tables.lot(this.#lot);
  }

  change(fields: Partial<Omit<LotRow, "lot">>): void {
    this.#parts.tables.changeLot(this.#lot, fields as Parameters<EconomyParts["tables"]["changeLot"]>[1]);
  }

  /** A claimed call is `reserved`; the pool makes none by itself, so none is `sent`. */
  requests(state: "reserved" | "sent", after: number, limit: number): LotRequest[] {
    if (state === "sent") return [];
    const rows = this.#parts.tables.ofLot(this.#lot, after, limit);
    return rows.map(({ position, request }) => ({
      position,
      attempt: 1,
      request: JSON.parse(request) as ChatRequest,
    }));
  }

  record(outcomes: readonly RequestOutcome[]): void {
    const { tables, tx } = this.#parts;
    tx.run(() => {
      for (const { position, outcome } of outcomes) tables.end(position, this.#lot, outcome);
    });
  }

  /** Agents wait the same, wherever it is. */
  running(): void {}

  stopping(): "expired" | null {
    return this.now() >= this.#askedAt() + LIMITS.batchWindowMs ? "expired" : null;
  }

  /** What the vendor finished in time could have been collected by now. */
  isOverdue(): boolean {
    return this.now() >= this.#askedAt() + LIMITS.batchWindowMs + LIMITS.batchCollectMs;
  }

  now(): number {
    return this.#parts.clock.now();
  }

  #askedAt(): number {
    return this.#parts.tables.askedAt(this.#lot) ?? this.now();
  }
}
