import { KernelBug } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { SqlRow } from "../../ports.ts";
import type { Settlement } from "../../scheduler/grant.ts";
import type { BatchRequest } from "./batch-request.ts";
import type { JobState } from "./job-state.ts";
import { LotTable } from "./lot-table.ts";

/** The tables of one batch job. Methods are synchronous; what belongs together is called inside one transaction. */

export interface JobRow extends SqlRow {
  id: string;
  state: JobState | "uploading";
  actor: string;
  total: number;
  completed: number;
  failed: number;
  cost_nano_usd: number;
  created_at: number;
  updated_at: number;
  expires_at: number;
  finished_at: number | null;
  error: string | null;
  pooled: string;
  unlisted: number;
}

export interface RequestRow extends SqlRow {
  position: number;
  custom_id: string;
  model: string;
  bytes: number;
  body: string;
  state: "open" | "reserved" | "sent" | "done";
  lot: number | null;
  attempt: number;
  max_output_tokens: number;
  reserved_nano_usd: number;
  retry_at: number;
  result: string | null;
}

export interface ResultPart extends SqlRow {
  part: number;
  key: string;
  offset: number;
  bytes: number;
  last_position: number;
}

const JOB = "SELECT * FROM job";
const PUT_JOB = `INSERT INTO job (id, state, actor, total, completed, failed, cost_nano_usd, created_at, updated_at, expires_at,
  finished_at, error, pooled, unlisted) VALUES (?, 'uploading', ?, 0, 0, 0, 0, ?, ?, ?, NULL, NULL, '[]', 0)`;
const COUNT = `UPDATE job SET completed = completed + ?, failed = failed + ?, cost_nano_usd = cost_nano_usd + ?,
  updated_at = ?, unlisted = 1`;
const PUT_REQUEST = `INSERT INTO requests (position, custom_id, model, bytes, body, state, lot, attempt, max_output_tokens,
  reserved_nano_usd, retry_at, result) VALUES (?, ?, ?, ?, ?, 'open', NULL, 1, ?, 0, 0, NULL) ON CONFLICT (position) DO NOTHING`;
const SIZE = "SELECT count(*) AS n FROM requests";
const NEXT_OPEN = "SELECT * FROM requests WHERE state = 'open' AND retry_at <= ? ORDER BY position LIMIT 1";
const OPEN_OF = `SELECT * FROM requests WHERE state = 'open' AND position >= ? AND model = ? AND retry_at <= ?
  ORDER BY position LIMIT ?`;
const OPEN = "SELECT * FROM requests WHERE state = 'open' AND (?1 IS NULL OR model = ?1) ORDER BY position LIMIT ?2";
const NEXT_RETRY = "SELECT min(retry_at) AS at FROM requests WHERE state = 'open'";
const UNFINISHED = "SELECT 1 AS one FROM requests WHERE state <> 'done' LIMIT 1";
const RESERVE = `UPDATE requests SET state = 'reserved', lot = ?, max_output_tokens = ?, reserved_nano_usd = ?
  WHERE position = ? AND state = 'open'`;
const OF_LOT = `SELECT * FROM requests WHERE state = ? AND lot = ? AND position > ? ORDER BY position LIMIT ?`;
const BY_POSITION = "SELECT * FROM requests WHERE position = ?";
const SEND = "UPDATE requests SET state = 'sent' WHERE position = ? AND state = 'reserved'";
const END = "UPDATE requests SET state = 'done', result = ?, body = '' WHERE position = ?";
const REOPEN = "UPDATE requests SET state = 'open', lot = NULL, attempt = attempt + 1, retry_at = ? WHERE position = ?";
const RESULTS = "SELECT position, result FROM requests WHERE position > ? ORDER BY position LIMIT ?";
const CLEAR = "DELETE FROM requests";
const PUT_BILL = "INSERT OR REPLACE INTO bills (call_id, settlement) VALUES (?, ?)";
const BILLS = "SELECT settlement FROM bills ORDER BY call_id LIMIT ?";
const PAID = "DELETE FROM bills WHERE call_id = ?";
const PUT_PART = `INSERT INTO result_parts (part, key, "offset", bytes, last_position) VALUES (?, ?, ?, ?, ?)`;
const PARTS = "SELECT * FROM result_parts ORDER BY part";

const ENCODER = new TextEncoder();

type JobChange = Partial<Pick<JobRow, "state" | "total" | "finished_at" | "error" | "pooled" | "expires_at">>;

export class JobTables extends LotTable {
  /** Null in an object that holds no job. */
  find(): JobRow | null {
    return this.sql.first<JobRow>(JOB) ?? null;
  }

  job(): JobRow {
    const row = this.find();
    if (row === null) throw new KernelBug("there is no job here");
    return row;
  }

  create(id: string, actor: string, now: number): void {
    this.sql.run(PUT_JOB, id, actor, now, now, now + LIMITS.batchWindowMs);
  }

  change(fields: JobChange, now: number): void {
    const names = Object.keys(fields);
    const statement = `UPDATE job SET ${names.map((name) => `${name} = ?`).join(", ")}, updated_at = ?, unlisted = 1`;
    this.sql.run(statement, ...Object.values(fields), now);
  }

  count(counts: { completed: number; failed: number; costNanoUsd: number }, now: number): void {
    this.sql.run(COUNT, counts.completed, counts.failed, counts.costNanoUsd, now);
  }

  /** Nothing has changed, and the list is told so. */
  touch(now: number): void {
    this.count({ completed: 0, failed: 0, costNanoUsd: 0 }, now);
  }

  /** The list in D1 has seen the row as it was at `updatedAt`. */
  listed(updatedAt: number): void {
    this.sql.run("UPDATE job SET unlisted = 0 WHERE updated_at = ?", updatedAt);
  }

  // --- requests

  put(position: number, request: BatchRequest): void {
    const { customId, model, maxOutputTokens, ...rest } = request;
    const body = JSON.stringify(rest);
    this.sql.run(PUT_REQUEST, position, customId, model, ENCODER.encode(body).length, body, maxOutputTokens);
  }

  size(): number {
    return this.sql.first<{ n: number }>(SIZE)?.n ?? 0;
  }

  nextOpen(now: number): RequestRow | null {
    return this.sql.first<RequestRow>(NEXT_OPEN, now) ?? null;
  }

  openOf(model: string, from: number, now: number, limit: number): RequestRow[] {
    return this.sql.all<RequestRow>(OPEN_OF, from, model, now, limit);
  }

  /** All that is open, or that of one model. */
  open(model: string | null, limit: number): RequestRow[] {
    return this.sql.all<RequestRow>(OPEN, model, limit);
  }

  nextRetry(): number | null {
    return this.sql.first<{ at: number | null }>(NEXT_RETRY)?.at ?? null;
  }

  hasUnfinished(): boolean {
    return this.sql.first(UNFINISHED) !== undefined;
  }

  reserve(position: number, lot: number, maxOutputTokens: number, reservedNanoUsd: number): void {
    this.sql.run(RESERVE, lot, maxOutputTokens, reservedNanoUsd, position);
  }

  ofLot(lot: number, state: RequestRow["state"], after: number, limit: number): RequestRow[] {
    return this.sql.all<RequestRow>(OF_LOT, state, lot, after, limit);
  }

  request(position: number): RequestRow | null {
    return this.sql.first<RequestRow>(BY_POSITION, position) ?? null;
  }

  /** The effect is about to happen: from now on the call may be billed. */
  send(position: number): void {
    this.sql.run(SEND, position);
  }

  end(position: number, result: string): void {
    this.sql.run(END, result, position);
  }

  /** The request is asked for again, by a call of its own. */
  reopen(position: number, retryAt: number): void {
    this.sql.run(REOPEN, retryAt, position);
  }

  results(after: number, limit: number): { position: number; result: string | null }[] {
    return this.sql.all<{ position: number; result: string | null }>(RESULTS, after, limit);
  }

  clear(): void {
    this.sql.run(CLEAR);
  }

  // --- bills and results

  bill(settlement: Settlement): void {
    this.sql.run(PUT_BILL, settlement.callId, JSON.stringify(settlement));
  }

  bills(limit: number): Settlement[] {
    return this.sql.all<{ settlement: string }>(BILLS, limit).map((row) => JSON.parse(row.settlement) as Settlement);
  }

  paid(settlements: readonly Settlement[]): void {
    for (const { callId } of settlements) this.sql.run(PAID, callId);
  }

  putPart(part: ResultPart): void {
    this.sql.run(PUT_PART, part.part, part.key, part.offset, part.bytes, part.last_position);
  }

  parts(): ResultPart[] {
    return this.sql.all<ResultPart>(PARTS);
  }
}
