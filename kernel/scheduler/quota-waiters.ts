import { LIMITS } from "../limits.ts";
import type { Clock, Sql } from "../ports.ts";
import type { CallCost } from "./budgets.ts";
import { LEAST_WALL_MS } from "./ledger.ts";

/**
 * Agents that a spent budget keeps waiting, and what the least call that is worth making would take, or a run of code. A row stays until its
 * agent asks again or waits for a quota no longer: who was told that there is room and did not hear it is told again.
 */

const PUT = `INSERT INTO quota_waiters (agent_id, since, tokens, nano_usd, cpu_ms) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (agent_id) DO UPDATE SET tokens = excluded.tokens, nano_usd = excluded.nano_usd, cpu_ms = excluded.cpu_ms`;
const ALL = "SELECT agent_id, tokens, nano_usd, cpu_ms FROM quota_waiters ORDER BY since LIMIT ?";
const DELETE = "DELETE FROM quota_waiters WHERE agent_id = ?";

/** What every call takes of the meters that count calls. */
export const LEAST_OF_A_CALL = { steps: 1, requestsPerMinute: 1, wallMs: LEAST_WALL_MS } as const satisfies CallCost;

type WaiterRow = { agent_id: string; tokens: number; nano_usd: number; cpu_ms: number };

export interface QuotaWaiter {
  agentId: string;
  needs: CallCost;
}

export class QuotaWaiters {
  readonly #sql: Sql;
  readonly #clock: Clock;

  constructor(ports: { sql: Sql; clock: Clock }) {
    this.#sql = ports.sql;
    this.#clock = ports.clock;
  }

  /** The agent waits until there is room for `needs`. */
  put(agentId: string, needs: CallCost): void {
    this.#sql.run(PUT, agentId, this.#clock.now(), needs.tokens ?? 0, needs.nanoUsd ?? 0, needs.cpuMs ?? 0);
  }

  /** Longest first. */
  all(): QuotaWaiter[] {
    const rows = this.#sql.all<WaiterRow>(ALL, LIMITS.sweepRows);
    return rows.map(({ agent_id: agentId, tokens, nano_usd: nanoUsd, cpu_ms: cpuMs }) => ({
      agentId,
      needs: cpuMs > 0 ? { cpuMs } : { ...LEAST_OF_A_CALL, tokens, nanoUsd },
    }));
  }

  remove(agentId: string): void {
    this.#sql.run(DELETE, agentId);
  }
}
