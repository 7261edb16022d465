import { NO_BILL, platformBillOf } from "../platform/platform-bill.ts";
import type { PlatformBill, PlatformUsage } from "../platform/platform-usage.ts";
import type { Sql, SqlRow } from "../ports.ts";
import { usd } from "../process/block.ts";
import { type PlatformGroup, platformUsageBy, platformUsageOfAll, TREES } from "./platform-costs.ts";

/**
 * The bill: the ledger summed by agent, subtree, model, provider or UTC day, to the nano-dollar, and beside it what the
 * platform itself is estimated to ask for.
 */

export const COST_GROUPS = ["agent", "subtree", "model", "provider", "day"] as const;
export type CostGroup = (typeof COST_GROUPS)[number];

export interface CostRow {
  /** The value grouped by: an agent's id (of a subtree, its root's), a model, a provider or a UTC day. */
  key: string;
  calls: number;
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
  /** Part of `completionTokens`. */
  reasoningTokens: number;
  /** Integer nano-dollars. */
  costNanoUsd: number;
  costUsd: string;
  /** Calls that were answered without the vendor, and what they would have cost: integer nano-dollars. */
  cacheHits: number;
  savedNanoUsd: number;
  /** Calls whose outcome a crash hid, counted at their upper bound. */
  unknown: number;
  /** What the platform itself asks for, beside the ledger: see docs/costs.md. Null for models and providers. */
  platform: PlatformBill | null;
}

export interface CostReport {
  items: CostRow[];
  /** Each call once, also where rows overlap, as subtrees do. */
  totalNanoUsd: number;
  totalUsd: string;
  /** The platform's bill of all processes. */
  platform: PlatformBill;
}

/** RFC 3339; absent = without end. */
export interface CostPeriod {
  from?: string | undefined;
  to?: string | undefined;
}

const KEYS: Record<CostGroup, string> = {
  agent: "agent_id",
  subtree: "tree.root",
  model: "model",
  provider: "provider",
  day: "strftime('%Y-%m-%d', settled_at / 1000, 'unixepoch')",
};

const PERIOD = "state <> 'open' AND settled_at >= ? AND settled_at < ?";
const TOTAL = `SELECT coalesce(sum(cost_nano_usd), 0) AS cost FROM calls WHERE ${PERIOD}`;

interface Sums extends SqlRow {
  key: string;
  calls: number;
  prompt_tokens: number;
  cached_tokens: number;
  completion_tokens: number;
  reasoning_tokens: number;
  cost_nano_usd: number;
  cache_hits: number;
  saved_nano_usd: number;
  unknown: number;
}

/** Of somebody who made no call. */
const NO_CALLS = {
  calls: 0,
  promptTokens: 0,
  cachedTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  costNanoUsd: 0,
  costUsd: usd(0),
  cacheHits: 0,
  savedNanoUsd: 0,
  unknown: 0,
} satisfies Omit<CostRow, "key" | "platform">;

function statement(group: CostGroup): string {
  const [before, from] = group === "subtree" ? [TREES, "calls JOIN tree ON tree.id = agent_id"] : ["", "calls"];
  return `${before} SELECT ${KEYS[group]} AS key, count(*) AS calls, sum(prompt_tokens) AS prompt_tokens,
    sum(cached_tokens) AS cached_tokens, sum(completion_tokens) AS completion_tokens, sum(reasoning_tokens) AS reasoning_tokens,
    sum(cost_nano_usd) AS cost_nano_usd, sum(cache IS NOT NULL) AS cache_hits,
    sum(saved_nano_usd) AS saved_nano_usd, sum(state = 'unknown') AS unknown
    FROM ${from} WHERE ${PERIOD} GROUP BY 1 ORDER BY 1`;
}

/** Calls that settled from `from` on and before `to`; the platform's bill is of the days that this touches. */
export function costsOf(sql: Sql, group: CostGroup, { from, to }: CostPeriod): CostReport {
  const period = [instant(from, 0), instant(to, Number.MAX_SAFE_INTEGER)] as const;
  const items = sql.all<Sums>(statement(group), ...period).map(rowOf);
  const total = sql.first<{ cost: number }>(TOTAL, ...period)?.cost ?? 0;
  return {
    items: hasPlatform(group) ? withPlatform(sql, group, items, period) : items,
    totalNanoUsd: total,
    totalUsd: usd(total),
    platform: platformBillOf(platformUsageOfAll(sql, ...period)),
  };
}

/** A call is a model's and a provider's; the object that makes it is neither's. */
function hasPlatform(group: CostGroup): group is PlatformGroup {
  return group !== "model" && group !== "provider";
}

/** Also a row for everybody who took something of the platform and made no call. */
function withPlatform(sql: Sql, group: PlatformGroup, items: CostRow[], period: readonly [number, number]): CostRow[] {
  const usage = platformUsageBy(sql, group, ...period);
  const billed = items.map((item) => ({ ...item, platform: billOf(usage.get(item.key)) }));
  const known = new Set(items.map(({ key }) => key));
  const others = [...usage.keys()].filter((key) => !known.has(key));
  const rest = others.map((key) => ({ key, ...NO_CALLS, platform: billOf(usage.get(key)) }));
  return [...billed, ...rest].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

function billOf(usage: PlatformUsage | undefined): PlatformBill {
  return usage === undefined ? NO_BILL : platformBillOf(usage);
}

function instant(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : Date.parse(text);
}

function rowOf(sums: Sums): CostRow {
  return {
    key: sums.key,
    calls: sums.calls,
    promptTokens: sums.prompt_tokens,
    cachedTokens: sums.cached_tokens,
    completionTokens: sums.completion_tokens,
    reasoningTokens: sums.reasoning_tokens,
    costNanoUsd: sums.cost_nano_usd,
    costUsd: usd(sums.cost_nano_usd),
    cacheHits: sums.cache_hits,
    savedNanoUsd: sums.saved_nano_usd,
    unknown: sums.unknown,
    platform: null,
  };
}
