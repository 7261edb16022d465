import { LIMITS } from "../limits.ts";
import type { ModelPrice } from "../llm/provider.ts";
import type { Clock, Sql, SqlRow } from "../ports.ts";

/**
 * Calls of the batch lane that a consumer had claimed and that nobody waits for any more: cancelled, or lost. They count at
 * their upper bound until the consumer delivers after all; then the real bill takes its place, once.
 */

export interface Stray {
  callId: string;
  step: number;
  code: "cancelled" | "lost";
  reservedNanoUsd: number;
  price: ModelPrice;
}

interface StrayRow extends SqlRow {
  call_id: string;
  step: number;
  code: Stray["code"];
  reserved_nano_usd: number;
  price: string;
}

const PUT = "INSERT INTO strays (call_id, step, code, reserved_nano_usd, price, at) VALUES (?, ?, ?, ?, ?, ?)";
const TAKE = "DELETE FROM strays WHERE call_id = ? RETURNING *";
const FORGET = "DELETE FROM strays WHERE at < ?";

export class Strays {
  readonly #sql: Sql;
  readonly #clock: Clock;

  constructor(ports: { sql: Sql; clock: Clock }) {
    this.#sql = ports.sql;
    this.#clock = ports.clock;
  }

  put({ callId, step, code, reservedNanoUsd, price }: Stray): void {
    const now = this.#clock.now();
    this.#sql.run(FORGET, now - LIMITS.strayMs);
    this.#sql.run(PUT, callId, step, code, reservedNanoUsd, JSON.stringify(price), now);
  }

  /** The stray, once. */
  take(callId: string): Stray | null {
    const row = this.#sql.first<StrayRow>(TAKE, callId);
    if (row === undefined) return null;
    const { step, code, reserved_nano_usd: reservedNanoUsd } = row;
    return { callId, step, code, reservedNanoUsd, price: JSON.parse(row.price) as ModelPrice };
  }
}
