import { LIMITS } from "../limits.ts";
import { periodOf } from "../scheduler/period.ts";
import type { CoreMeter, Standing } from "../scheduler/standing.ts";
import type { ControlBlock } from "./block.ts";
import type { AgentParts } from "./parts.ts";
import type { ProcessRow } from "./process-store.ts";
import {
  limitOf,
  QUOTA_NAMES,
  type QuotaName,
  type Quotas,
  STORED_NAMES,
  type Stored,
  type StoredName,
} from "./spec.ts";

/**
 * The meters of a process: what it stores it counts itself; everything else is the core's count, which holds reservations and
 * the use of all below it, as the core last told it.
 */

type Meter = NonNullable<ControlBlock["quotas"][QuotaName]>;
type Counted = Pick<
  ProcessRow,
  "quotas" | "standing" | "prompt_tokens" | "completion_tokens" | "cost_nano_usd" | "steps" | "cpu_ms"
>;

export const NOTHING_STORED: Stored = { pages: 0, pageBytes: 0, files: 0, fileBytes: 0 };

/** What only the process itself knows. */
interface OwnCount {
  stored?: Stored;
  /** Milliseconds since the epoch. */
  now?: number;
  /** What runs of code that are under way hold; asked only where it is limited. */
  cpuHeldMs?(): number;
}

/** The quotas that are set, as the control block shows them. */
export function metersOf(row: Readonly<Counted>, own: OwnCount): ControlBlock["quotas"] {
  const quotas = JSON.parse(row.quotas) as Quotas;
  const standing = standingOf(row);
  const named = QUOTA_NAMES.flatMap((name) => {
    const quota = quotas[name];
    if (quota === undefined) return [];
    const limit = limitOf(name, quota);
    return [[name, { ...limit, ...counted(name, row, own, { limit, standing }) }] as const];
  });
  return Object.fromEntries(named);
}

export function standingOf(row: Readonly<Pick<ProcessRow, "standing">>): Standing | null {
  return row.standing === null ? null : (JSON.parse(row.standing) as Standing);
}

/** Takes in what the core answered to the report that ended with log entry `seq`: in its own transaction. */
export function hearCore(parts: AgentParts, seq: number, standing: Standing | undefined): void {
  parts.tx.run(() => {
    const before = standingOf(parts.process.get());
    parts.process.change({
      exported_seq: seq,
      ...(standing === undefined ? {} : { standing: JSON.stringify(standing) }),
    });
    if (standing === undefined) return;
    for (const name of QUOTA_NAMES) warn(parts, name, before?.meters[name], standing.meters[name]);
  });
}

/** Whether a meter that goes from `before` to `after` passes the part of its limit that is worth an event. */
export function passesWarning(before: number, after: number, limit: number): boolean {
  const mark = limit * LIMITS.quotaWarningShare;
  return after > before && before < mark && after >= mark;
}

export function isStored(name: QuotaName): name is StoredName {
  return (STORED_NAMES as readonly string[]).includes(name);
}

type Known = { limit: Pick<Meter, "limit" | "per">; standing: Standing | null };

function counted(name: QuotaName, row: Counted, own: OwnCount, { limit, standing }: Known) {
  const { stored = NOTHING_STORED, now = 0, cpuHeldMs = () => 0 } = own;
  if (isStored(name)) return { used: stored[name], reserved: 0 };
  const told = standing?.meters[name];
  const reserved = name === "cpuMs" ? cpuHeldMs() : (told?.reserved ?? 0);
  if (told === undefined || told.per !== limit.per)
    return { used: limit.per === "total" ? lifetime(row, name) : 0, reserved };
  const over = now > 0 && told.period !== periodOf(told.per, now);
  const since = name === "cpuMs" ? row.cpu_ms - (standing?.cpu?.countedMs ?? 0) : 0;
  return { used: (over ? 0 : told.used) + since, reserved };
}

/** What is known before the core has said anything: what the process itself used since it began. */
function lifetime(row: Counted, name: QuotaName): number {
  const own: Partial<Record<QuotaName, number>> = {
    tokens: row.prompt_tokens + row.completion_tokens,
    nanoUsd: row.cost_nano_usd,
    steps: row.steps,
    cpuMs: row.cpu_ms,
  };
  return own[name] ?? 0;
}

/** What a process stores it warns of itself, in the transaction that stores it. */
function warn(parts: AgentParts, name: QuotaName, before: CoreMeter | undefined, now: CoreMeter | undefined): void {
  if (now === undefined || isStored(name)) return;
  const used = before?.period === now.period ? before.used : 0;
  if (!passesWarning(used, now.used, now.limit)) return;
  parts.log.append("quota.warning", "kernel", { metric: name, limit: now.limit, used: now.used, per: now.per });
}
