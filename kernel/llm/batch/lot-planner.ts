import type { KernelError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { GrantRequest } from "../../scheduler/grant.ts";
import { maxPromptTokens } from "../usage.ts";
import { callIdOfRow, chatRequestOf } from "./desk.ts";
import type { DriverChoice } from "./drivers.ts";
import type { JobParts } from "./job-parts.ts";
import type { RequestRow } from "./job-tables.ts";
import type { LotRow } from "./lot-table.ts";

/**
 * Fills lots: takes the next open requests of one model, reserves their money in slices, and closes the lot when it is full,
 * when the requests end, or when a budget has no more room; what did not fit is planned again when something was settled.
 * A reservation that a crash hid is asked for again by the same call id and answers the same.
 */
export type Planned =
  | { kind: "planned" }
  /** Nothing is open now. */
  | { kind: "nothing" }
  /** Nothing could be reserved. */
  | { kind: "refused"; error: KernelError };

export class LotPlanner {
  readonly #parts: JobParts;

  constructor(parts: JobParts) {
    this.#parts = parts;
  }

  /** Fills one lot. */
  async plan(): Promise<Planned> {
    const { tables, clock, drivers } = this.#parts;
    const first = tables.nextOpen(clock.now());
    if (first === null) return { kind: "nothing" };
    const choice = drivers.of(first.model, this.#pooled());
    if (!choice.ok) return { kind: "refused", error: choice.error };
    const { lot } = tables.openLot(choice.value.provider, first.model, choice.value.kind);
    return this.#fill(lot, choice.value, first.position);
  }

  /** Closes the lots that an earlier life was filling. */
  closeUnfilled(): void {
    for (const { lot, state } of this.#parts.tables.liveLots()) if (state === "planned") this.#close(lot, null);
  }

  async #fill(lot: number, choice: DriverChoice, from: number): Promise<Planned> {
    const { tables } = this.#parts;
    let next = from;
    for (;;) {
      const rows = this.#slice(tables.lot(lot), choice, next);
      const reserved = rows.length === 0 ? null : await this.#reserve(lot, choice, rows);
      const last = rows[(reserved?.count ?? 0) - 1];
      if (reserved === null || reserved.error !== null || last === undefined) {
        return this.#close(lot, reserved?.error ?? null);
      }
      next = last.position + 1;
    }
  }

  /** The next requests that the lot has room for. */
  #slice({ requests, bytes, model }: LotRow, { driver }: DriverChoice, from: number): RequestRow[] {
    const { tables, clock } = this.#parts;
    const limit = Math.min(LIMITS.batchMoneyRows, driver.limits.requests - requests);
    if (limit <= 0) return [];
    let room = driver.limits.bytes - bytes;
    const rows = tables.openOf(model, from, clock.now(), limit);
    const fits = ({ bytes: size }: RequestRow): boolean => {
      room -= size;
      return room >= 0;
    };
    const end = rows.findIndex((row) => !fits(row));
    return end < 0 ? rows : rows.slice(0, end);
  }

  async #reserve(
    lot: number,
    choice: DriverChoice,
    rows: readonly RequestRow[],
  ): Promise<{ count: number; error: KernelError | null }> {
    const { tables, tx, calls } = this.#parts;
    const answer = await calls.open(rows.map((row) => this.#grantRequest(row, choice)));
    if (answer === null)
      return { count: 0, error: { code: "unavailable", message: "The tenant's core did not answer." } };
    if (!answer.ok) return { count: 0, error: answer.error };
    const { opened, refused } = answer.value;
    tx.run(() => {
      let bytes = 0;
      opened.forEach(({ maxOutputTokens, reservedNanoUsd }, index) => {
        const row = rows[index];
        if (row === undefined) return;
        tables.reserve(row.position, lot, maxOutputTokens, reservedNanoUsd);
        bytes += row.bytes;
      });
      tables.growLot(lot, opened.length, bytes);
    });
    return { count: opened.length, error: refused };
  }

  #grantRequest(row: RequestRow, { provider, model, price }: DriverChoice): GrantRequest {
    const { tables, clock, tenant } = this.#parts;
    const request = chatRequestOf(row, model, tenant);
    const inputBound = maxPromptTokens(request);
    return {
      callId: callIdOfRow(this.#parts, row),
      lane: "batch",
      provider,
      model: row.model,
      price,
      inputBound,
      rateTokens: inputBound + row.max_output_tokens,
      outputWanted: row.max_output_tokens,
      deadlineMs: Math.max(0, tables.job().expires_at + LIMITS.batchCollectMs - clock.now()),
    };
  }

  #close(lot: number, error: KernelError | null): Planned {
    const { tables, clock } = this.#parts;
    const isEmpty = tables.lot(lot).requests === 0;
    tables.changeLot(lot, { state: isEmpty ? "ended" : "ready", due_at: clock.now() });
    if (error === null || !isEmpty) return { kind: "planned" };
    return { kind: "refused", error };
  }

  #pooled(): string[] {
    return JSON.parse(this.#parts.tables.job().pooled) as string[];
  }
}
