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

export type Waiting = { agent_id: string; urgent: number; vtime: number; priority: number };

const ENQUEUE = `INSERT INTO run_queue (agent_id, urgent, vtime, priority, enqueued_at) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (agent_id) DO UPDATE SET urgent = excluded.urgent, priority = excluded.priority`;
const DEQUEUE = "DELETE FROM run_queue WHERE agent_id = ?";
const NEXT =
  "SELECT agent_id, urgent, vtime, priority FROM run_queue WHERE urgent <= ? ORDER BY urgent DESC, vtime, priority, enqueued_at LIMIT 1";
const LEAST = "SELECT min(vtime) AS vtime FROM run_queue";
const COUNT = "SELECT count(*) AS n FROM run_queue";

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

export class RunQueue {
  readonly #sql: Sql;
  readonly #clock: Clock;

  constructor(ports: { sql: Sql; clock: Clock }) {
    this.#sql = ports.sql;
    this.#clock = ports.clock;
  }

  /** Adds the agent, or refreshes its priority; its place in the queue is kept. */
  enqueue(agentId: string, priority: number, vtime: number): void {
    this.#sql.run(ENQUEUE, agentId, isUrgent(priority) ? 1 : 0, vtime, priority, this.#clock.now());
  }

  remove(agentId: string): void {
    this.#sql.run(DEQUEUE, agentId);
  }

  /** The agent that is next, or null. `urgentToo` = priorities 0-9 have not used up their share of the slots. */
  peek(urgentToo: boolean): Waiting | null {
    return this.#sql.first<Waiting>(NEXT, urgentToo ? 1 : 0) ?? null;
  }

  /** The virtual time at which a newcomer starts: that of the least served who waits. */
  floor(): number {
    return this.#sql.first<{ vtime: number | null }>(LEAST)?.vtime ?? 0;
  }

  get length(): number {
    return this.#sql.first<{ n: number }>(COUNT)?.n ?? 0;
  }
}
