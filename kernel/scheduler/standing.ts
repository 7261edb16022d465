import { NOTHING_STORED } from "../process/meters.ts";
import { type MeterPeriod, type QuotaName, STORED_NAMES, type Stored, type StoredName } from "../process/spec.ts";
import { type BudgetRow, type Budgets, TENANT } from "./budgets.ts";
import { type ProcessTable, storedOf } from "./process-table.ts";

/**
 * How a process stands with its quotas, as its core counts them: the core tells it with every answer, because only the core
 * knows what is reserved and what the processes below it have used.
 */
export interface Standing {
  /** The quotas of the process itself. */
  meters: Partial<Record<QuotaName, CoreMeter>>;
  /** What is left to store in the tightest quota of an ancestor or the tenant, and whose that is. */
  room: Partial<Record<StoredName, { left: number; subject: string }>>;
  /** CPU of its code that is counted, and how the tightest quota of an ancestor or the tenant stands. Absent in what an older core said. */
  cpu?: { countedMs: number; above: { subject: string; limit: number; used: number } | null };
  /** What the process had stored when this was counted: `left` is what it may have more than that. */
  stored: Stored;
}

export interface CoreMeter {
  limit: number;
  used: number;
  reserved: number;
  per: MeterPeriod;
  /** The minute, hour or day that `used` is of. */
  period: string;
}

interface StandingParts {
  readonly budgets: Budgets;
  readonly processes: ProcessTable;
  subjects(agentId: string): string[];
}

export function standingOf(parts: StandingParts, agentId: string): Standing {
  const entry = parts.processes.get(agentId);
  const above = parts
    .subjects(agentId)
    .slice(1)
    .flatMap((subject) => parts.budgets.meters(subject));
  return {
    meters: Object.fromEntries(parts.budgets.meters(agentId).map((row) => [row.metric, meterOf(parts, row)])),
    room: roomOf(above),
    cpu: { countedMs: parts.processes.cpuOf(agentId)?.ms ?? 0, above: cpuAbove(above) },
    stored: entry === null ? NOTHING_STORED : storedOf(entry),
  };
}

/** How many processes there are is counted when it is asked for: nothing has to be kept in step with their ends. */
export function meterOf({ processes }: Pick<StandingParts, "processes">, row: BudgetRow): CoreMeter {
  const { subject, metric, limit, used, reserved, per, period } = row;
  const agentId = subject === TENANT ? null : subject;
  if (metric === "children") return { limit, used: processes.countChildren(agentId), reserved, per, period };
  if (metric === "depth") return { limit, used: processes.depthBelow(agentId), reserved, per, period };
  return { limit, used, reserved, per, period };
}

function roomOf(rows: readonly BudgetRow[]): Standing["room"] {
  const room: Standing["room"] = {};
  for (const name of STORED_NAMES) {
    const tightest = tightestOf(rows, name);
    if (tightest !== null) room[name] = { left: leftOf(tightest), subject: tightest.subject };
  }
  return room;
}

function cpuAbove(rows: readonly BudgetRow[]): NonNullable<Standing["cpu"]>["above"] {
  const tightest = tightestOf(rows, "cpuMs");
  return tightest === null ? null : { subject: tightest.subject, limit: tightest.limit, used: tightest.used };
}

function tightestOf(rows: readonly BudgetRow[], metric: QuotaName): BudgetRow | null {
  return rows.filter((row) => row.metric === metric).toSorted((a, b) => leftOf(a) - leftOf(b))[0] ?? null;
}

function leftOf({ limit, used }: BudgetRow): number {
  return limit - used;
}
