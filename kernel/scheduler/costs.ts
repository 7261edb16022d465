import type { Sql, SqlRow } from "../ports.ts";
import { usd } from "../process/block.ts";

/** The bill: the ledger summed by agent, model, provider or UTC day, to the nano-dollar. */

export const COST_GROUPS = ["agent", "model", "provider", "day"] as const;
export type CostGroup = (typeof COST_GROUPS)[number];

export interface CostRow {
  /** The value grouped by: an agent's id, a model, a provider or a UTC day. */
  key: string;
  calls: number;
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
  /** Integer nano-dollars. */
  costNanoUsd: number;
  costUsd: string;
  /** Calls that were answered without the vendor, and what they would have cost: integer nano-dollars. */
  cacheHits: number;
  savedNanoUsd: number;
  /** Calls whose outcome a crash hid, counted at their upper bound. */
  unknown: number;
}

export interface CostReport {
  items: CostRow[];
  totalNanoUsd: number;
  totalUsd: string;
}

const KEYS: Record<CostGroup, string> = {
  agent: "agent_id",
  model: "model",
  provider: "provider",
  day: "strftime('%Y-%m-%d', settled_at / 1000, 'unixepoch')",
};

interface Sums extends SqlRow {
  key: string;
  calls: number;
  prompt_tokens: number;
  cached_tokens: number;
  completion_tokens: number;
  cost_nano_usd: number;
  cache_hits: number;
  saved_nano_usd: number;
  unknown: number;
}

function statement(group: CostGroup): string {
  return `SELECT ${KEYS[group]} AS key, count(*) AS calls, sum(prompt_tokens) AS prompt_tokens, sum(cached_tokens) AS cached_tokens,
    sum(completion_tokens) AS completion_tokens, sum(cost_nano_usd) AS cost_nano_usd, sum(cache IS NOT NULL) AS cache_hits,
    sum(saved_nano_usd) AS saved_nano_usd, sum(state = 'unknown') AS unknown
    FROM calls WHERE state <> 'open' AND settled_at >= ? AND settled_at < ? GROUP BY 1 ORDER BY 1`;
}

/** Settled calls in `[from, to)`, milliseconds since the epoch. */
export function costsOf(sql: Sql, group: CostGroup, from: number, to: number): CostReport {
  const items = sql.all<Sums>(statement(group), from, to).map(rowOf);
  const total = items.reduce((sum, item) => sum + item.costNanoUsd, 0);
  return { items, totalNanoUsd: total, totalUsd: usd(total) };
}

function rowOf(sums: Sums): CostRow {
  return {
    key: sums.key,
    calls: sums.calls,
    promptTokens: sums.prompt_tokens,
    cachedTokens: sums.cached_tokens,
    completionTokens: sums.completion_tokens,
    costNanoUsd: sums.cost_nano_usd,
    costUsd: usd(sums.cost_nano_usd),
    cacheHits: sums.cache_hits,
    savedNanoUsd: sums.saved_nano_usd,
    unknown: sums.unknown,
  };
}
