import type { SqlRow } from "../../../ports.ts";
import type { CallMessage } from "../../../process/call-message.ts";
import type { ChatRequest } from "../../chat.ts";
import type { ChatOutcome } from "../../provider.ts";
import { LotTable } from "../lot-table.ts";

/** The tables of one economy pool: its lots, and its calls. Methods are synchronous; what belongs together is one transaction. */

/** asked = known by name; claimed = its request is here; done = its outcome is; declined = nobody could make it. */
export type CallState = "asked" | "claimed" | "done" | "declined";

export interface CallRow extends SqlRow {
  position: number;
  call_id: string;
  message: string;
  state: CallState;
  lot: number | null;
  request: string;
  bytes: number;
  outcome: string | null;
  asked_at: number;
  due_at: number;
  failures: number;
}

const PUT = `INSERT INTO calls (call_id, message, state, lot, request, bytes, outcome, asked_at, due_at, failures)
  VALUES (?, ?, 'asked', NULL, '', 0, NULL, ?, ?, 0) ON CONFLICT (call_id) DO NOTHING`;
const SIZE = "SELECT count(*) AS n FROM calls";
const NEXT_CLAIM = "SELECT min(due_at) AS at FROM calls WHERE state = 'asked'";
/** Those that were never asked for come with the first that is due: they share its lot. */
const TO_CLAIM = `SELECT * FROM calls WHERE state = 'asked' AND position > ? AND (failures = 0 OR due_at <= ?)
  ORDER BY position LIMIT ?`;
const CLAIM =
  "UPDATE calls SET state = 'claimed', request = ?, bytes = ?, failures = 0 WHERE position = ? AND state = 'asked'";
const LOOSE = "SELECT * FROM calls WHERE state = 'claimed' AND lot IS NULL ORDER BY position LIMIT ?";
const ASSIGN = "UPDATE calls SET lot = ? WHERE position = ?";
const OF_LOT = "SELECT * FROM calls WHERE state = 'claimed' AND lot = ? AND position > ? ORDER BY position LIMIT ?";
const OLDEST = "SELECT min(asked_at) AS at FROM calls WHERE lot = ?";
const FIRST = "SELECT call_id FROM calls WHERE lot = ? ORDER BY position LIMIT 1";
const END = `UPDATE calls SET state = 'done', outcome = ?, request = '', due_at = 0
  WHERE position = ? AND lot = ? AND state = 'claimed'`;
const DECLINE = "UPDATE calls SET state = 'declined', request = '', due_at = 0 WHERE state = 'claimed' AND lot IS ?";
const TO_TELL = "SELECT * FROM calls WHERE state IN ('done', 'declined') AND due_at <= ? ORDER BY position LIMIT ?";
const LATER = "UPDATE calls SET due_at = ?, failures = failures + 1 WHERE position = ?";
const REMOVE = "DELETE FROM calls WHERE position = ?";
const NEXT = `SELECT min(due_at) AS at FROM (SELECT due_at FROM calls WHERE state <> 'claimed'
  UNION ALL SELECT 0 FROM calls WHERE state = 'claimed' AND lot IS NULL
  UNION ALL SELECT due_at FROM lots WHERE state <> 'ended')`;
/** The newest stays, because the next one's number follows from it. */
const FORGET_LOTS = "DELETE FROM lots WHERE state = 'ended' AND lot < (SELECT max(lot) FROM lots)";

export class EconomyTables extends LotTable {
  put(message: CallMessage, now: number, dueAt: number): void {
    this.sql.run(PUT, message.callId, JSON.stringify(message), now, dueAt);
  }

  size(): number {
    return this.sql.first<{ n: number }>(SIZE)?.n ?? 0;
  }

  /** When the first request is to be fetched; null = none is. */
  nextClaim(): number | null {
    return this.sql.first<{ at: number | null }>(NEXT_CLAIM)?.at ?? null;
  }

  /** Calls whose requests are fetched when the first of them is due. */
  toClaim(after: number, now: number, limit: number): CallRow[] {
    return this.sql.all<CallRow>(TO_CLAIM, after, now, limit);
  }

  claim(position: number, request: ChatRequest, bytes: number): void {
    this.sql.run(CLAIM, JSON.stringify(request), bytes, position);
  }

  /** Claimed calls that no lot has. */
  loose(limit: number): CallRow[] {
    return this.sql.all<CallRow>(LOOSE, limit);
  }

  assign(position: number, lot: number): void {
    this.sql.run(ASSIGN, lot, position);
  }

  ofLot(lot: number, after: number, limit: number): CallRow[] {
    return this.sql.all<CallRow>(OF_LOT, lot, after, limit);
  }

  /** When the oldest call of the lot was asked for. */
  askedAt(lot: number): number | null {
    return this.sql.first<{ at: number | null }>(OLDEST, lot)?.at ?? null;
  }

  firstCallId(lot: number): string {
    return this.sql.first<{ call_id: string }>(FIRST, lot)?.call_id ?? "";
  }

  /** The call's outcome, once. */
  end(position: number, lot: number, outcome: ChatOutcome): void {
    this.sql.run(END, JSON.stringify(outcome), position, lot);
  }

  /** What the lot has not ended, or what no lot has, is given back. */
  decline(lot: number | null): void {
    this.sql.run(DECLINE, lot);
  }

  toTell(now: number, limit: number): CallRow[] {
    return this.sql.all<CallRow>(TO_TELL, now, limit);
  }

  later(position: number, dueAt: number): void {
    this.sql.run(LATER, dueAt, position);
  }

  remove(position: number): void {
    this.sql.run(REMOVE, position);
  }

  /** When there is something to do; null = nothing is here. */
  nextDue(): number | null {
    return this.sql.first<{ at: number | null }>(NEXT)?.at ?? null;
  }

  forgetLots(): void {
    this.sql.run(FORGET_LOTS);
  }
}
