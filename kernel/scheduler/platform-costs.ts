import { NO_USAGE, type PlatformUsage, sumOf, USAGE_COUNTERS } from "../platform/platform-usage.ts";
import type { Sql, SqlRow } from "../ports.ts";
import { periodOf } from "./period.ts";

/**
 * What processes took of the platform, summed from what they reported: by agent, subtree or UTC day. It is known by the day,
 * so a period counts every day that it touches.
 */

export type PlatformGroup = "agent" | "subtree" | "day";

const KEYS: Record<PlatformGroup, string> = { agent: "processes.id", subtree: "tree.root", day: "day.key" };

/** Every process that has children, with all below it and itself. The depth of trees is bounded where they grow. */
export const TREES = `WITH RECURSIVE tree (root, id) AS (
  SELECT id, id FROM processes WHERE id IN (SELECT parent_id FROM processes)
  UNION SELECT tree.root, processes.id FROM tree JOIN processes ON processes.parent_id = tree.id)`;

const SUMS = USAGE_COUNTERS.map((name) => `coalesce(sum(json_extract(day.value, '$.${name}')), 0) AS ${name}`).join(
  ", ",
);
const DAYS = "json_each(processes.platform, '$.days') AS day WHERE day.key BETWEEN ? AND ?";
const TOTAL = `SELECT ${SUMS} FROM processes, ${DAYS}`;

/** The end of the last year that an instant of RFC 3339 can name. */
const LAST_AT = Date.UTC(10_000, 0, 1);

type Sums = PlatformUsage & SqlRow;

function statement(group: PlatformGroup): string {
  const [before, from] = group === "subtree" ? [TREES, "tree JOIN processes USING (id)"] : ["", "processes"];
  return `${before} SELECT ${KEYS[group]} AS key, ${SUMS} FROM ${from}, ${DAYS} GROUP BY 1 ORDER BY 1`;
}

/** From `from` on and before `to`, milliseconds since the epoch. */
export function platformUsageBy(sql: Sql, group: PlatformGroup, from: number, to: number): Map<string, PlatformUsage> {
  const rows = sql.all<Sums & { key: string }>(statement(group), ...daysOf(from, to));
  return new Map(rows.map(({ key, ...sums }) => [key, sumOf(sums, NO_USAGE)]));
}

export function platformUsageOfAll(sql: Sql, from: number, to: number): PlatformUsage {
  return sumOf(sql.first<Sums>(TOTAL, ...daysOf(from, to)) ?? {}, NO_USAGE);
}

/** The first and the last day that the period touches. */
function daysOf(from: number, to: number): [string, string] {
  return [periodOf("day", Math.max(0, from)), periodOf("day", Math.min(to, LAST_AT) - 1)];
}
