import { KernelBug } from "../../errors.ts";
import type { Sql, SqlRow } from "../../ports.ts";

/** The table of lots: requests of one model that go to their vendor together, in a batch job or in an economy pool. */

export interface LotRow extends SqlRow {
  lot: number;
  provider: string;
  model: string;
  driver: "vendor" | "pool";
  state: "planned" | "ready" | "uploading" | "submitting" | "submitted" | "ended";
  requests: number;
  bytes: number;
  input_file_id: string | null;
  vendor_batch_id: string | null;
  submitted_at: number | null;
  cancelled_at: number | null;
  polls: number;
  failures: number;
  due_at: number;
}

const PUT_LOT = `INSERT INTO lots (lot, provider, model, driver, state, requests, bytes, input_file_id, vendor_batch_id,
  submitted_at, cancelled_at, polls, failures, due_at)
  SELECT coalesce(max(lot), 0) + 1, ?, ?, ?, 'planned', 0, 0, NULL, NULL, NULL, NULL, 0, 0, 0 FROM lots`;
const LOT = "SELECT * FROM lots WHERE lot = ?";
const NEWEST_LOT = "SELECT * FROM lots ORDER BY lot DESC LIMIT 1";
const LIVE_LOTS = "SELECT * FROM lots WHERE state <> 'ended' ORDER BY lot";
const GROW_LOT = "UPDATE lots SET requests = requests + ?, bytes = bytes + ? WHERE lot = ?";

type LotChange = Partial<Omit<LotRow, "lot">>;

export class LotTable {
  readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  openLot(provider: string, model: string, driver: LotRow["driver"]): LotRow {
    this.sql.run(PUT_LOT, provider, model, driver);
    const lot = this.sql.first<LotRow>(NEWEST_LOT);
    if (lot === undefined) throw new KernelBug("a lot was not opened");
    return lot;
  }

  lot(lot: number): LotRow {
    const row = this.sql.first<LotRow>(LOT, lot);
    if (row === undefined) throw new KernelBug(`there is no lot ${lot}`);
    return row;
  }

  liveLots(): LotRow[] {
    return this.sql.all<LotRow>(LIVE_LOTS);
  }

  growLot(lot: number, requests: number, bytes: number): void {
    this.sql.run(GROW_LOT, requests, bytes, lot);
  }

  changeLot(lot: number, fields: LotChange): void {
    const names = Object.keys(fields);
    const values = Object.values(fields).map((value) => value ?? null);
    this.sql.run(`UPDATE lots SET ${names.map((name) => `${name} = ?`).join(", ")} WHERE lot = ?`, ...values, lot);
  }

  /** Every lot is due at once. */
  hurry(): void {
    this.sql.run("UPDATE lots SET due_at = 0 WHERE state <> 'ended'");
  }
}
