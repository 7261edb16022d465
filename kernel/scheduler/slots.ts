import { LIMITS } from "../limits.ts";
import type { Clock, Sql } from "../ports.ts";

/**
 * Who may call a model now. A slot expires and its holder is fenced by a rising number; money does not expire with it.
 * Only the core judges expiry, because clocks of two objects differ.
 */

type SlotRow = { agent_id: string; fence: number; expires_at: number; pushed: number; gate: string; epoch: number };

/** What the slot's call has to do with a vendor account: see `Allowances`. */
export interface Pass {
  gate: string;
  epoch: number;
}

export interface HeldSlot extends Pass {
  fence: number;
  /** Whether its holder has yet to come for it. */
  pushed: boolean;
}

const OF = "SELECT * FROM slots WHERE agent_id = ?";
const TAKE = `INSERT INTO slots (agent_id, fence, expires_at, pushed, gate, epoch) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (agent_id) DO UPDATE SET fence = excluded.fence, expires_at = excluded.expires_at, pushed = excluded.pushed,
  gate = excluded.gate, epoch = excluded.epoch`;
const GIVE_BACK = "DELETE FROM slots WHERE agent_id = ?";
const EXPIRED = "DELETE FROM slots WHERE expires_at <= ? RETURNING agent_id";
const COUNT = "SELECT count(*) AS n FROM slots";
const URGENT =
  "SELECT count(*) AS n FROM slots JOIN processes ON processes.id = slots.agent_id WHERE processes.priority < ?";
const AT_GATE = "SELECT count(*) AS n FROM slots WHERE gate = ? AND agent_id <> ?";
const OF_EPOCH = "SELECT count(*) AS n FROM slots WHERE gate = ? AND agent_id <> ? AND epoch = ?";
const NEWEST_EPOCH = "SELECT max(epoch) AS epoch FROM slots WHERE gate = ?";
const NEXT_EXPIRY = "SELECT min(expires_at) AS at FROM slots";
const PUSHED = "SELECT agent_id FROM slots WHERE pushed = 1 LIMIT ?";

export class Slots {
  readonly #sql: Sql;
  readonly #clock: Clock;

  constructor(ports: { sql: Sql; clock: Clock }) {
    this.#sql = ports.sql;
    this.#clock = ports.clock;
  }

  /** The agent's live slot, or null. */
  of(agentId: string): HeldSlot | null {
    const row = this.#sql.first<SlotRow>(OF, agentId);
    if (row === undefined || row.expires_at <= this.#clock.now()) return null;
    return { fence: row.fence, pushed: row.pushed === 1, gate: row.gate, epoch: row.epoch };
  }

  /** Gives the agent a slot until `LIMITS.slotMs` from now. `pushed` = the agent has yet to be told. */
  take(agentId: string, fence: number, pushed: boolean, { gate, epoch }: Pass): void {
    this.#sql.run(TAKE, agentId, fence, this.#clock.now() + LIMITS.slotMs, pushed ? 1 : 0, gate, epoch);
  }

  /** How many calls are, or are about to be, under way at a vendor account, but for that of `exceptAgentId`. */
  atGate(gate: string, exceptAgentId = ""): number {
    return this.#sql.first<{ n: number }>(AT_GATE, gate, exceptAgentId)?.n ?? 0;
  }

  /** Those of them that were allowed in `epoch`. */
  ofEpoch(gate: string, epoch: number, exceptAgentId = ""): number {
    return this.#sql.first<{ n: number }>(OF_EPOCH, gate, exceptAgentId, epoch)?.n ?? 0;
  }

  newestEpoch(gate: string): number {
    return this.#sql.first<{ epoch: number | null }>(NEWEST_EPOCH, gate)?.epoch ?? 0;
  }

  giveBack(agentId: string): void {
    this.#sql.run(GIVE_BACK, agentId);
  }

  /** Takes back what has expired; answers who held it. */
  expire(): string[] {
    return this.#sql.all<{ agent_id: string }>(EXPIRED, this.#clock.now()).map((row) => row.agent_id);
  }

  get free(): number {
    return LIMITS.slotsPerTenant - (this.#sql.first<{ n: number }>(COUNT)?.n ?? 0);
  }

  /** Slots held by priorities 0-9. */
  get urgent(): number {
    return this.#sql.first<{ n: number }>(URGENT, LIMITS.urgentPriorities)?.n ?? 0;
  }

  nextExpiry(): number | null {
    return this.#sql.first<{ at: number | null }>(NEXT_EXPIRY)?.at ?? null;
  }

  /** Agents that were given a slot and have not come for it. */
  unclaimed(): string[] {
    return this.#sql.all<{ agent_id: string }>(PUSHED, LIMITS.sweepRows).map((row) => row.agent_id);
  }
}
