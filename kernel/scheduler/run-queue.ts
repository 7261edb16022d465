import { LIMITS } from "../limits.ts";
import type { Clock, Sql } from "../ports.ts";

/**
 * Who waits for a slot, and who is next: weighted fair queueing on served tokens. Each agent has a virtual time that
 * grows by `served tokens / weight(priority)`; the smallest goes first, so a low priority is slow but never starves.
 * Priorities 0-9 go before all others, as long as they hold at most `urgentShare` of the slots.
 *
 * Source: Demers, Keshav, Shenker, "Analysis and Simulation of a Fair Queueing Algorithm" (1989); with a token
 * counter as in Sheng et al., "Fairness in Serving Large Language Models" (2024).
 */

export type Waiting = {
  agent_id: string;
  urgent: number;
  vtime: number;
  priority: number;
  enqueued_at: number;
  gate: string;
  tokens: number;
};

/** The gate that the call has to pass, and what it counts for there. */
export type Errand = Pick<Waiting, "gate" | "tokens">;

/** A call that passes no gate. */
export const NO_ERRAND: Errand = { gate: "", tokens: 0 };

const ENQUEUE = `INSERT INTO run_queue (agent_id, urgent, vtime, priority, enqueued_at, gate, tokens) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (agent_id) DO UPDATE SET urgent = excluded.urgent, priority = excluded.priority, gate = excluded.gate,
  tokens = excluded.tokens`;
const DEQUEUE = "DELETE FROM run_queue WHERE agent_id = ?";
const NEXT =
  "SELECT * FROM run_queue WHERE gate = ? AND urgent <= ? ORDER BY urgent DESC, vtime, priority, enqueued_at LIMIT 1";
const LEAST = "SELECT min(vtime) AS vtime FROM run_queue";
const COUNT = "SELECT count(*) AS n FROM run_queue";
const AT_GATE = "SELECT count(*) AS n FROM (SELECT 1 FROM run_queue WHERE gate = ? AND agent_id <> ? LIMIT ?)";

export function isUrgent(priority: number): boolean {
  return priority < LIMITS.urgentPriorities;
}

/** 0 -> 100, 50 -> 50, 99 -> 1: how many times more than the lowest priority an agent is served. */
export function weightOf(priority: number): number {
  return LIMITS.priorityMax + 1 - priority;
}

/** Virtual time that `tokens` cost an agent of `priority`; scaled, so that it stays an integer. */
export function virtualCost(tokens: number, priority: number): number {
  return Math.ceil((tokens * 100) / weightOf(priority));
}

/** The order in which those who wait are served. */
export function inOrder(a: Waiting, b: Waiting): number {
  return b.urgent - a.urgent || a.vtime - b.vtime || a.priority - b.priority || a.enqueued_at - b.enqueued_at;
}

export class RunQueue {
  readonly #sql: Sql;
  readonly #clock: Clock;

  constructor(ports: { sql: Sql; clock: Clock }) {
    this.#sql = ports.sql;
    this.#clock = ports.clock;
  }

  /** Adds the agent, or refreshes its priority; its place in the queue is kept. */
  enqueue(agentId: string, priority: number, vtime: number, { gate, tokens }: Errand): void {
    this.#sql.run(ENQUEUE, agentId, isUrgent(priority) ? 1 : 0, vtime, priority, this.#clock.now(), gate, tokens);
  }

  remove(agentId: string): void {
    this.#sql.run(DEQUEUE, agentId);
  }

  /** The agent that is next at `gate`, or null. `urgentToo` = priorities 0-9 have not used up their share of the slots. */
  peek(gate: string, urgentToo: boolean): Waiting | null {
    return this.#sql.first<Waiting>(NEXT, gate, urgentToo ? 1 : 0) ?? null;
  }

  /** How many wait at `gate`, counted up to `most`, but for `exceptAgentId`. */
  atGate(gate: string, most: number, exceptAgentId = ""): number {
    return this.#sql.first<{ n: number }>(AT_GATE, gate, exceptAgentId, most)?.n ?? 0;
  }

  /** The virtual time at which a newcomer starts: that of the least served who waits. */
  floor(): number {
    return this.#sql.first<{ vtime: number | null }>(LEAST)?.vtime ?? 0;
  }

  get length(): number {
    return this.#sql.first<{ n: number }>(COUNT)?.n ?? 0;
  }
}
