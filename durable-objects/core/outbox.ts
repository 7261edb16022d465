import { LIMITS } from "../../kernel/limits.ts";
import type { Sql } from "../../kernel/ports.ts";
import type { Signal } from "../../kernel/process/message.ts";

/**
 * What the core has decided about agents and not yet told them: a signal, or that they are erased. A row leaves when the
 * agent has answered, so a crash in between only tells it again. Erasing has two steps: ERASE closes the process, and when the
 * end of its chain is in the core's log, WIPE deletes what is left of it.
 */

export type Order = Extract<Signal, "KILL" | "TERM"> | "ERASE" | "WIPE";

const PUT =
  "INSERT INTO signals (agent_id, signal) VALUES (?, ?) ON CONFLICT (agent_id) DO UPDATE SET signal = excluded.signal WHERE signal NOT IN ('ERASE', 'WIPE')";
const ALL = "SELECT agent_id, signal FROM signals LIMIT ?";
const NEXT = "UPDATE signals SET signal = ? WHERE agent_id = ? AND signal = ?";
const DELETE = "DELETE FROM signals WHERE agent_id = ? AND signal = ?";

export class Outbox {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  put(agentId: string, order: Order): void {
    this.#sql.run(PUT, agentId, order);
  }

  all(): { agentId: string; order: Order }[] {
    return this.#sql
      .all<{ agent_id: string; signal: Order }>(ALL, LIMITS.sweepRows)
      .map((row) => ({ agentId: row.agent_id, order: row.signal }));
  }

  /** The order's next step takes its place; false when somebody was faster. */
  follow(agentId: string, order: Order, next: Order): boolean {
    return this.#sql.run(NEXT, next, agentId, order) > 0;
  }

  /** Takes the order out; false when it was out already. */
  done(agentId: string, order: Order): boolean {
    return this.#sql.run(DELETE, agentId, order) > 0;
  }
}
