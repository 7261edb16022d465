import { KernelBug } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { TokenUsage } from "../llm/chat.ts";
import type { ModelPrice } from "../llm/provider.ts";
import type { Clock, Sql, SqlRow } from "../ports.ts";
import { usd } from "../process/block.ts";
import type { CallCost } from "./budgets.ts";
import type { CacheHit, GrantRequest, Settlement } from "./grant.ts";

/**
 * The ledger: one row per model call, from its reservation to its settlement. A call that is neither settled nor
 * excused by its deadline plus a grace settles as `unknown` at its upper bound: never zero, never twice.
 */

export interface LedgerCall extends SqlRow {
  id: string;
  agent_id: string;
  /** The key that pays beside the owner. */
  payer: string | null;
  provider: string;
  model: string;
  state: "open" | "settled" | "unknown";
  input_bound: number;
  output_bound: number;
  reserved_nano_usd: number;
  prompt_tokens: number;
  cached_tokens: number;
  cache_write_tokens: number;
  completion_tokens: number;
  reasoning_tokens: number;
  cost_nano_usd: number;
  price: string;
  opened_at: number;
  expires_at: number;
  settled_at: number | null;
  resumed_from: string | null;
  restarted_from: string | null;
  /** Where the reply came from instead of the vendor; null for a call that was made. */
  cache: CacheHit["level"] | null;
  saved_nano_usd: number;
  changed: number;
}

/** One entry of the ledger, as people read it. */
export interface LedgerEntry {
  callId: string;
  agentId: string;
  provider: string;
  /** `provider/model` */
  model: string;
  /** `open` = reserved; `unknown` = nobody can say how it ended, and it counts at its upper bound. */
  state: LedgerCall["state"];
  promptTokens: number;
  cachedTokens: number;
  cacheWriteTokens: number;
  completionTokens: number;
  /** Part of `completionTokens`. */
  reasoningTokens: number;
  /** Integer nano-dollars; what is reserved while the call is open. */
  costNanoUsd: number;
  costUsd: string;
  /** Unit prices in nano-dollars per million tokens, and where and when they were read. */
  price: ModelPrice;
  /** The call whose outcome was lost and that this one goes on from, or does once more. */
  resumedFrom: string | null;
  restartedFrom: string | null;
  /** Where the reply came from instead of the vendor, and what it would have cost there; null for a call that was made. */
  cache: CacheHit["level"] | null;
  savedNanoUsd: number;
  openedAt: string;
  settledAt: string | null;
}

const OPEN = `INSERT INTO calls (id, agent_id, payer, provider, model, state, input_bound, output_bound, reserved_nano_usd,
  prompt_tokens, cached_tokens, completion_tokens, cost_nano_usd, price, opened_at, expires_at, settled_at, resumed_from,
  restarted_from, changed) VALUES (?, ?, ?, ?, ?, 'open', ?, ?, ?, 0, 0, 0, 0, ?, ?, ?, NULL, ?, ?, ?)`;
const HIT = `INSERT INTO calls (id, agent_id, provider, model, state, input_bound, output_bound, reserved_nano_usd, prompt_tokens,
  cached_tokens, completion_tokens, cost_nano_usd, price, opened_at, expires_at, settled_at, changed, cache, saved_nano_usd)
  VALUES (?, ?, ?, ?, 'settled', 0, 0, 0, 0, 0, 0, 0, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`;
const GET = "SELECT * FROM calls WHERE id = ?";
const SETTLE = `UPDATE calls SET state = ?, prompt_tokens = ?, cached_tokens = ?, cache_write_tokens = ?, completion_tokens = ?,
  reasoning_tokens = ?, cost_nano_usd = ?, settled_at = ?, changed = ? WHERE id = ?`;
const WITHDRAW = "DELETE FROM calls WHERE id = ? AND state = 'open'";
const EXPIRED = "SELECT * FROM calls WHERE state = 'open' AND expires_at <= ? ORDER BY expires_at LIMIT ?";
const NEXT_EXPIRY = "SELECT min(expires_at) AS at FROM calls WHERE state = 'open'";
const HELD = `SELECT coalesce(sum(input_bound + output_bound), 0) AS tokens, coalesce(sum(reserved_nano_usd), 0) AS nanoUsd,
  count(*) AS steps, count(*) AS wallMs FROM calls WHERE state = 'open'`;
/** The agent and all below it: a child's calls count against its parent's budget. */
const TREE = `WITH RECURSIVE tree (id) AS (SELECT ?1 UNION SELECT processes.id FROM processes JOIN tree ON parent_id = tree.id)`;
/** Of a key: its own calls, and those that it pays for. */
const OF_KEY = "(payer = ?1 OR agent_id = ?1)";
const HELD_BY_KEY = `${HELD} AND ${OF_KEY}`;
const HELD_BELOW = `${TREE} ${HELD} AND agent_id IN (SELECT id FROM tree)`;
const USED = `SELECT coalesce(sum(prompt_tokens + completion_tokens), 0) AS tokens,
  coalesce(sum(cost_nano_usd), 0) AS nanoUsd, coalesce(sum(state = 'unknown' OR prompt_tokens + completion_tokens > 0), 0) AS steps,
  coalesce(sum(max(0, settled_at - opened_at)), 0) AS wallMs
  FROM calls WHERE state <> 'open' AND settled_at >= ?2`;
const USED_BELOW = `${TREE} ${USED} AND agent_id IN (SELECT id FROM tree)`;
const USED_BY_KEY = `${USED} AND ${OF_KEY}`;
const LIST = `SELECT rowid AS ordinal, * FROM calls WHERE rowid < ? AND agent_id = coalesce(?, agent_id)
  ORDER BY rowid DESC LIMIT ?`;
const CHANGED = "SELECT * FROM calls WHERE changed > ? ORDER BY changed LIMIT ?";

/**
 * How long a step takes is known when it is over: it is granted while there is any time left, and the last one may take more
 * than that.
 */
export const LEAST_WALL_MS = 1;

/** What an open call holds of every budget. */
export function reservation(call: Pick<LedgerCall, "input_bound" | "output_bound" | "reserved_nano_usd">): CallCost {
  return {
    tokens: call.input_bound + call.output_bound,
    nanoUsd: call.reserved_nano_usd,
    steps: 1,
    wallMs: LEAST_WALL_MS,
  };
}

/** Whose call it is, and which key pays for it beside. */
export interface Debtor {
  owner: string;
  payer: string | null;
}

/** What a call may take at most. */
interface Bound {
  outputTokens: number;
  nanoUsd: number;
}

type Held = { tokens: number; nanoUsd: number; steps: number; wallMs: number };

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

  open({ owner, payer }: Debtor, request: GrantRequest, bound: Bound, changed: number): void {
    const now = this.#clock.now();
    this.#sql.run(
      OPEN,
      request.callId,
      owner,
      payer,
      request.provider,
      request.model,
      request.inputBound,
      bound.outputTokens,
      bound.nanoUsd,
      JSON.stringify(request.price),
      now,
      now + request.deadlineMs + LIMITS.settleGraceMs,
      request.resumedFrom ?? null,
      request.restartedFrom ?? null,
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
      used.cacheWriteTokens ?? 0,
      used.completionTokens,
      used.reasoningTokens,
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
        wallMs: late ? 0 : Math.max(0, this.#clock.now() - call.opened_at),
      },
    };
  }

  /** Takes back a reservation whose call was never made. */
  withdraw(callId: string): void {
    this.#sql.run(WITHDRAW, callId);
  }

  /** Open calls whose deadline and grace have passed. */
  expired(): LedgerCall[] {
    return this.#sql.all<LedgerCall>(EXPIRED, this.#clock.now(), LIMITS.sweepRows);
  }

  /** What all open calls hold together. */
  held(): CallCost {
    return this.#sql.first<Held>(HELD) ?? {};
  }

  /** What open calls of the agent and of all below it hold. */
  heldBelow(agentId: string): CallCost {
    return this.#sql.first<Held>(HELD_BELOW, agentId) ?? {};
  }

  /** What calls of the agent and of all below it used that ended at `since` or later. */
  usedBelow(agentId: string, since: number): CallCost {
    return this.#sql.first<Held>(USED_BELOW, agentId, since) ?? {};
  }

  /** What open calls of the key, and those that it pays for, hold. */
  heldByKey(key: string): CallCost {
    return this.#sql.first<Held>(HELD_BY_KEY, key) ?? {};
  }

  /** What such calls used that ended at `since` or later. */
  usedByKey(key: string, since: number): CallCost {
    return this.#sql.first<Held>(USED_BY_KEY, key, since) ?? {};
  }

  nextExpiry(): number | null {
    return this.#sql.first<{ at: number | null }>(NEXT_EXPIRY)?.at ?? null;
  }

  /** Entries, the newest first, of one agent or of all. `cursor` is the `nextCursor` of the page before. */
  list({ limit, cursor, agentId }: { limit: number; cursor?: string | undefined; agentId?: string | undefined }) {
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor);
    const rows = this.#sql.all<LedgerCall & { ordinal: number }>(LIST, before, agentId ?? null, limit + 1);
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return { items: rows.slice(0, limit).map(entryOf), nextCursor: last === undefined ? null : String(last.ordinal) };
  }

  /** Rows changed after `cursor`, in order, for the projection. */
  changedAfter(cursor: number, limit: number): LedgerCall[] {
    return this.#sql.all<LedgerCall>(CHANGED, cursor, limit);
  }
}

function entryOf(call: LedgerCall): LedgerEntry {
  const cost = call.state === "open" ? call.reserved_nano_usd : call.cost_nano_usd;
  return {
    callId: call.id,
    agentId: call.agent_id,
    provider: call.provider,
    model: call.model,
    state: call.state,
    promptTokens: call.prompt_tokens,
    cachedTokens: call.cached_tokens,
    cacheWriteTokens: call.cache_write_tokens,
    completionTokens: call.completion_tokens,
    reasoningTokens: call.reasoning_tokens,
    costNanoUsd: cost,
    costUsd: usd(cost),
    price: JSON.parse(call.price) as ModelPrice,
    resumedFrom: call.resumed_from,
    restartedFrom: call.restarted_from,
    cache: call.cache,
    savedNanoUsd: call.saved_nano_usd,
    openedAt: new Date(call.opened_at).toISOString(),
    settledAt: call.settled_at === null ? null : new Date(call.settled_at).toISOString(),
  };
}

function usedBy(
  call: LedgerCall,
  settlement: Settlement,
): Omit<TokenUsage, "estimated"> & { steps: number; costNanoUsd: number } {
  if (settlement.state === "unknown" || settlement.usage === null) {
    const free = settlement.state === "settled";
    return {
      steps: free ? 0 : 1,
      promptTokens: free ? 0 : call.input_bound,
      cachedTokens: 0,
      completionTokens: free ? 0 : call.output_bound,
      reasoningTokens: 0,
      costNanoUsd: free ? settlement.costNanoUsd : call.reserved_nano_usd,
    };
  }
  return { ...settlement.usage, steps: 1, costNanoUsd: settlement.costNanoUsd };
}
