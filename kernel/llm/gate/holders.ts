import { LIMITS } from "../../limits.ts";
import type { Sql, SqlRow } from "../../ports.ts";

/** Who holds a slice of the account, or waits for one. A holder that is not heard of any more ends with its slice. */

export interface Holder extends SqlRow {
  holder: string;
  tenant: string;
  calls: number;
  in_use: number;
  waiting: number;
  call_tokens: number;
  expires_at: number;
}

const PUT = `INSERT INTO holders (holder, tenant, calls, in_use, waiting, call_tokens, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (holder) DO UPDATE SET calls = excluded.calls, in_use = excluded.in_use, waiting = excluded.waiting,
  call_tokens = excluded.call_tokens, expires_at = excluded.expires_at`;
const LIVE = "SELECT * FROM holders WHERE expires_at > ? ORDER BY holder LIMIT ?";
const EXPIRE = "DELETE FROM holders WHERE expires_at <= ?";
const LEAVE = "DELETE FROM holders WHERE holder = ?";

export class Holders {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  live(now: number): Holder[] {
    return this.#sql.all<Holder>(LIVE, now, LIMITS.gateHolders);
  }

  put({ holder, tenant, calls, in_use: inUse, waiting, call_tokens: callTokens, expires_at: expiresAt }: Holder): void {
    this.#sql.run(PUT, holder, tenant, calls, inUse, waiting, callTokens, expiresAt);
  }

  expire(now: number): void {
    this.#sql.run(EXPIRE, now);
  }

  leave(holder: string): void {
    this.#sql.run(LEAVE, holder);
  }
}
