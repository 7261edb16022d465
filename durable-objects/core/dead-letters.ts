import { LIMITS } from "../../kernel/limits.ts";
import type { Clock, Sql, SqlRow } from "../../kernel/ports.ts";
import type { Listing, ListOptions } from "../agent/rpc.ts";
import type { DeadLetter } from "./rpc.ts";

/**
 * The tenant's dead letters: model calls of the batch lane that the queue gave up to deliver. They stand here until a person
 * has them sent again, or until the call has ended without them.
 */

interface LetterRow extends SqlRow {
  call_id: string;
  agent_id: string;
  reason: string;
  attempts: number;
  at: number;
}

const PUT = `INSERT INTO dead_letters (call_id, agent_id, reason, attempts, at) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (call_id) DO UPDATE SET reason = excluded.reason, attempts = max(attempts, excluded.attempts), at = excluded.at`;
const GET = "SELECT * FROM dead_letters WHERE call_id = ?";
const LIST = "SELECT * FROM dead_letters WHERE call_id > ? ORDER BY call_id LIMIT ?";
const DELETE = "DELETE FROM dead_letters WHERE call_id = ?";
const FORGET = "DELETE FROM dead_letters WHERE agent_id = ?";

export class DeadLetters {
  readonly #sql: Sql;
  readonly #clock: Clock;

  constructor(ports: { sql: Sql; clock: Clock }) {
    this.#sql = ports.sql;
    this.#clock = ports.clock;
  }

  /** One letter a call, as it was last heard of. */
  put({ callId, agentId, reason, attempts }: Omit<DeadLetter, "at">): void {
    this.#sql.run(PUT, callId, agentId, reason.slice(0, LIMITS.listedTextChars), attempts, this.#clock.now());
  }

  get(callId: string): DeadLetter | null {
    const row = this.#sql.first<LetterRow>(GET, callId);
    return row === undefined ? null : letterOf(row);
  }

  /** By call id. */
  list({ cursor = "", limit }: ListOptions): Listing<DeadLetter> {
    const found = this.#sql.all<LetterRow>(LIST, cursor, limit + 1).map(letterOf);
    const items = found.slice(0, limit);
    return { items, nextCursor: found.length > items.length ? (items.at(-1)?.callId ?? null) : null };
  }

  delete(callId: string): void {
    this.#sql.run(DELETE, callId);
  }

  /** The agent is erased. */
  forget(agentId: string): void {
    this.#sql.run(FORGET, agentId);
  }
}

function letterOf(row: LetterRow): DeadLetter {
  const at = new Date(row.at).toISOString();
  return { callId: row.call_id, agentId: row.agent_id, reason: row.reason, attempts: row.attempts, at };
}
