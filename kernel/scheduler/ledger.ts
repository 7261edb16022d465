import { KernelBug } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Sql, SqlRow } from "../ports.ts";
import type { CallCost } from "./budgets.ts";
import type { CacheHit, GrantRequest, Settlement } from "./grant.ts";

/**
 * The ledger: one row per model call, from its reservation to its settlement. A call that is neither settled nor
 * excused by its deadline plus a grace settles as `unknown` at its upper bound: never zero, never twice.
 */

export interface LedgerCall extends SqlRow {
  id: string;
  agent_id: string;
  provider: string;
  model: string;
  state: "open" | "settled" | "unknown";
  input_bound: number;
  output_bound: number;
  reserved_nano_usd: number;
  prompt_tokens: number;
  cached_tokens: number;
  completion_tokens: number;
  cost_nano_usd: number;
  price: string;
  opened_at: number;
  expires_at: number;
  settled_at: number | null;
  changed: number;
}

const OPEN = `INSERT INTO calls (id, agent_id, provider, model, state, input_bound, output_bound, reserved_nano_usd,
  prompt_tokens, cached_tokens, completion_tokens, cost_nano_usd, price, opened_at, expires_at, settled_at, changed)
  VALUES (?, ?, ?, ?, 'open', ?, ?, ?, 0, 0, 0, 0, ?, ?, ?, NULL, ?)`;
const HIT = `INSERT INTO calls (id, agent_id, provider, model, state, input_bound, output_bound, reserved_nano_usd, prompt_tokens,
  cached_tokens, completion_tokens, cost_nano_usd, price, opened_at, expires_at, settled_at, changed, cache, saved_nano_usd)
  VALUES (?, ?, ?, ?, 'settled', 0, 0, 0, 0, 0, 0, 0, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`;
const GET = "SELECT * FROM calls WHERE id = ?";
const SETTLE = `UPDATE calls SET state = ?, prompt_tokens = ?, cached_tokens = ?, completion_tokens = ?, cost_nano_usd = ?,
  settled_at = ?, changed = ? WHERE id = ?`;
const EXPIRED = "SELECT * FROM calls WHERE state = 'open' AND expires_at <= ? ORDER BY expires_at LIMIT ?";
const NEXT_EXPIRY = "SELECT min(expires_at) AS at FROM calls WHERE state = 'open'";
const HELD = `SELECT coalesce(sum(input_bound + output_bound), 0) AS tokens, coalesce(sum(reserved_nano_usd), 0) AS nanoUsd,
  count(*) AS steps FROM calls WHERE state = 'open'`;
/** The agent and all below it: a child's calls count against its parent's budget. */
const TREE = `WITH RECURSIVE tree (id) AS (SELECT ?1 UNION SELECT processes.id FROM processes JOIN tree ON parent_id = tree.id)`;
const HELD_BELOW = `${TREE} ${HELD} AND agent_id IN (SELECT id FROM tree)`;
const USED_BELOW = `${TREE} SELECT coalesce(sum(prompt_tokens + completion_tokens), 0) AS tokens,
  coalesce(sum(cost_nano_usd), 0) AS nanoUsd, coalesce(sum(state = 'unknown' OR prompt_tokens + completion_tokens > 0), 0) AS steps
  FROM calls WHERE agent_id IN (SELECT id FROM tree) AND state <> 'open' AND settled_at >= ?2`;
const CHANGED = "SELECT * FROM calls WHERE changed > ? ORDER BY changed LIMIT ?";

/** What an open call holds of every budget. */
export function reservation(call: Pick<LedgerCall, "input_bound" | "output_bound" | "reserved_nano_usd">): CallCost {
  return { tokens: call.input_bound + call.output_bound, nanoUsd: call.reserved_nano_usd, steps: 1 };
}

export class Ledger {
  readonly #sql: Sql;
  readonly #clock: Clock;

  constructor(ports: { sql: Sql; clock: Clock }) {
    this.#sql = ports.sql;
    this.#clock = ports.clock;
  }

  get(callId: string): LedgerCall | null {
    return this.#sql.first<LedgerCall>(GET, callId) ?? null;
  }

  open(agentId: string, request: GrantRequest, outputBound: number, reservedNanoUsd: number, changed: number): void {
    const now = this.#clock.now();
    this.#sql.run(
      OPEN,
      request.callId,
      agentId,
      request.provider,
      request.model,
      request.inputBound,
      outputBound,
      reservedNanoUsd,
      JSON.stringify(request.price),
      now,
      now + request.deadlineMs + LIMITS.settleGraceMs,
      changed,
    );
  }

  /** A call that was answered without the vendor: free, with what it would have cost. */
  hit(owner: string, hit: CacheHit, changed: number): void {
    const now = this.#clock.now();
    const { callId, provider, model, price, level, savedNanoUsd } = hit;
    this.#sql.run(
      HIT,
      callId,
      owner,
      provider,
      model,
      JSON.stringify(price),
      now,
      now,
      now,
      changed,
      level,
      savedNanoUsd,
    );
  }

  /**
   * Ends an open call, or corrects an `unknown` one whose outcome arrived late. Answers what it held and what it used,
   * or null when it was settled before. An `unknown` end costs what was reserved.
   */
  settle(settlement: Settlement, changed: number): { call: LedgerCall; reserved: CallCost; used: CallCost } | null {
    const call = this.get(settlement.callId);
    if (call === null) throw new KernelBug(`settling ${settlement.callId}, which was never granted`);
    const late = call.state === "unknown" && settlement.state === "settled";
    if (call.state !== "open" && !late) return null;
    const used = usedBy(call, settlement);
    this.#sql.run(
      SETTLE,
      settlement.state,
      used.promptTokens,
      used.cachedTokens,
      used.completionTokens,
      used.costNanoUsd,
      this.#clock.now(),
      changed,
      call.id,
    );
    const before: CallCost = late
      ? { tokens: -(call.prompt_tokens + call.completion_tokens), nanoUsd: -call.cost_nano_usd, steps: -1 }
      : {};
    return {
      call,
      reserved: late ? {} : reservation(call),
      used: {
        tokens: used.promptTokens + used.completionTokens + (before.tokens ?? 0),
        nanoUsd: used.costNanoUsd + (before.nanoUsd ?? 0),
        steps: used.steps + (before.steps ?? 0),
      },
    };
  }

  /** Open calls whose deadline and grace have passed. */
  expired(): LedgerCall[] {
    return this.#sql.all<LedgerCall>(EXPIRED, this.#clock.now(), LIMITS.sweepRows);
  }

  /** What all open calls hold together. */
  held(): CallCost {
    return this.#sql.first<{ tokens: number; nanoUsd: number; steps: number }>(HELD) ?? {};
  }

  /** What open calls of the agent and of all below it hold. */
  heldBelow(agentId: string): CallCost {
    return this.#sql.first<{ tokens: number; nanoUsd: number; steps: number }>(HELD_BELOW, agentId) ?? {};
  }

  /** What calls of the agent and of all below it used that ended at `since` or later. */
  usedBelow(agentId: string, since: number): CallCost {
    return this.#sql.first<{ tokens: number; nanoUsd: number; steps: number }>(USED_BELOW, agentId, since) ?? {};
  }

  nextExpiry(): number | null {
    return this.#sql.first<{ at: number | null }>(NEXT_EXPIRY)?.at ?? null;
  }

  /** Rows changed after `cursor`, in order, for the projection. */
  changedAfter(cursor: number, limit: number): LedgerCall[] {
    return this.#sql.all<LedgerCall>(CHANGED, cursor, limit);
  }
}

function usedBy(call: LedgerCall, settlement: Settlement) {
  if (settlement.state === "unknown" || settlement.usage === null) {
    const free = settlement.state === "settled";
    return {
      steps: free ? 0 : 1,
      promptTokens: free ? 0 : call.input_bound,
      cachedTokens: 0,
      completionTokens: free ? 0 : call.output_bound,
      costNanoUsd: free ? settlement.costNanoUsd : call.reserved_nano_usd,
    };
  }
  return { ...settlement.usage, steps: 1, costNanoUsd: settlement.costNanoUsd };
}
