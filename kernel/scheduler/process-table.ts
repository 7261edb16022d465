import { LIMITS } from "../limits.ts";
import { NO_BILL } from "../platform/platform-bill.ts";
import type { Sql, SqlRow } from "../ports.ts";
import type { Birth } from "../process/birth.ts";
import type { ControlBlock } from "../process/block.ts";
import { NOTHING_STORED } from "../process/meters.ts";
import { type Denials, type Grants, type PermissionLevel, STORED_NAMES, type Stored } from "../process/spec.ts";
import type { State } from "../process/state.ts";
import type { Standard } from "../security/ceiling.ts";
import { type CpuUse, NO_CPU } from "./cpu-use.ts";
import type { AgentReport } from "./grant.ts";

/** The tenant's process table: every process as it last reported itself, newest report wins. */

export interface ProcessEntry extends SqlRow {
  id: string;
  name: string;
  state: State;
  priority: number;
  parent_id: string | null;
  block: string;
  spec: string | null;
  level: PermissionLevel | null;
  grants: string | null;
  denials: string;
  tools: string | null;
  asks: string;
  payer: string | null;
  stored: string | null;
  cpu: string | null;
  platform: string | null;
  seq: number;
  head: string | null;
  vtime: number;
  changed: number;
  due_at: number | null;
  erased_at: number | null;
}

const INSERT = `INSERT INTO processes (id, name, state, priority, parent_id, block, spec, level, grants, denials,
  tools, asks, payer, seq, vtime, changed, erased_at) VALUES (?, ?, 'new', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, NULL)`;
const GET = "SELECT * FROM processes WHERE id = ?";
const REPORT = `UPDATE processes SET name = ?, state = ?, priority = ?, block = ?, spec = NULL, seq = ?, changed = ?,
  due_at = ?, stored = coalesce(?, stored), head = coalesce(?, head), platform = coalesce(?, platform)
  WHERE id = ? AND seq <= ? AND erased_at IS NULL`;
const SERVE = "UPDATE processes SET vtime = vtime + ? WHERE id = ?";
const START_AT = "UPDATE processes SET vtime = max(vtime, ?) WHERE id = ?";
const LIST = `SELECT * FROM processes WHERE erased_at IS NULL AND id > ?
  AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR name = ?3) AND (?4 IS NULL OR parent_id = ?4) ORDER BY id LIMIT ?5`;
const CHILDREN = "SELECT id FROM processes WHERE parent_id = ? AND state <> 'terminated' AND erased_at IS NULL LIMIT ?";
const SET_CPU = "UPDATE processes SET cpu = ? WHERE id = ?";
const SET_STANDARD = "UPDATE processes SET level = ?, grants = ?, denials = ? WHERE id = ?";
const SET_ASKS = "UPDATE processes SET asks = ? WHERE id = ?";
const LIVE = "state <> 'terminated' AND erased_at IS NULL";
const COUNT_LIVE = `SELECT count(*) AS n FROM processes WHERE ${LIVE}`;
const COUNT_BELOW = `SELECT count(*) AS n FROM processes WHERE parent_id = ? AND ${LIVE}`;
const DEPTH_BELOW = `WITH RECURSIVE tree (id, above) AS (SELECT ?1, 0 UNION ALL SELECT processes.id, above + 1 FROM processes
  JOIN tree ON parent_id = tree.id WHERE ${LIVE} AND above < ${LIMITS.depthMax}) SELECT max(above) AS n FROM tree`;
const DEPTH = `WITH RECURSIVE tree (id, above) AS (SELECT id, 1 FROM processes WHERE parent_id IS NULL AND ${LIVE}
  UNION ALL SELECT processes.id, above + 1 FROM processes JOIN tree ON parent_id = tree.id WHERE ${LIVE} AND above < ${LIMITS.depthMax})
  SELECT coalesce(max(above), 0) AS n FROM tree`;
const SUM_STORED = STORED_NAMES.map((name) => `coalesce(sum(json_extract(stored, '$.${name}')), 0) AS ${name}`).join(
  ", ",
);
const STORED = `SELECT ${SUM_STORED} FROM processes WHERE stored IS NOT NULL`;
const STORED_BELOW = `WITH RECURSIVE tree (id) AS (SELECT ?1 UNION SELECT processes.id FROM processes JOIN tree ON parent_id = tree.id)
  SELECT ${SUM_STORED} FROM processes WHERE stored IS NOT NULL AND id IN (SELECT id FROM tree)`;
/** Of the newest hour or day when that is what began at ?2; of all time with 0. */
const SUM_CPU = `coalesce(sum(CASE WHEN ?2 = 0 THEN json_extract(cpu, '$.ms') WHEN json_extract(cpu, '$.dayAt') = ?2 THEN json_extract(cpu, '$.dayMs')
  WHEN json_extract(cpu, '$.hourAt') = ?2 THEN json_extract(cpu, '$.hourMs') ELSE 0 END), 0) AS n`;
const CPU_BELOW = `WITH RECURSIVE tree (id) AS (SELECT id FROM processes WHERE ?1 IS NULL UNION SELECT ?1
  UNION SELECT processes.id FROM processes JOIN tree ON parent_id = tree.id)
  SELECT ${SUM_CPU} FROM processes WHERE cpu IS NOT NULL AND id IN (SELECT id FROM tree)`;
/** An idle process has told the core so before it rested; any other may have a call in the queue that the core knows not of. */
const IN_BATCH_LANE = `SELECT id FROM processes WHERE id > ? AND state <> 'terminated' AND erased_at IS NULL
  AND json_extract(block, '$.lane') <> 'interactive' AND json_extract(block, '$.waitReason') IS NOT 'message' ORDER BY id LIMIT ?`;
const UNBORN = "SELECT * FROM processes WHERE spec IS NOT NULL AND erased_at IS NULL LIMIT ?";
const EXPECT = "UPDATE processes SET due_at = ?1 WHERE id = ?2 AND erased_at IS NULL AND due_at IS NOT ?1";
const SILENT = "SELECT id FROM processes WHERE due_at <= ? LIMIT ?";
const NEXT_SIGN = "SELECT min(due_at) AS at FROM processes WHERE due_at IS NOT NULL";
const ERASE = `UPDATE processes SET erased_at = ?, due_at = NULL, stored = NULL, state = 'terminated', spec = NULL, block = '{}', name = '', changed = ?
  WHERE id = ? AND erased_at IS NULL`;
const CHANGED = "SELECT * FROM processes WHERE changed > ? ORDER BY changed LIMIT ?";

/** The block as the table shows it: long texts are cut, so that a list of many stays small. */
function shortened(block: ControlBlock): string {
  return JSON.stringify({ ...block, goal: cut(block.goal), result: block.result === null ? null : cut(block.result) });
}

function cut(text: string): string {
  return text.length <= LIMITS.listedTextChars ? text : `${text.slice(0, LIMITS.listedTextChars)}…`;
}

type Count = { n: number | null };

export function storedOf(entry: ProcessEntry): Stored {
  return entry.stored === null ? NOTHING_STORED : (JSON.parse(entry.stored) as Stored);
}

/** A block that an older version reported lacks what came later. */
export function blockOf(entry: ProcessEntry): ControlBlock {
  const block = JSON.parse(entry.block) as ControlBlock;
  return { ...block, usage: { ...block.usage, platform: block.usage?.platform ?? NO_BILL } };
}

export class ProcessTable {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Enters a process whose object does not exist yet; its birth is kept until the object reports. */
  enter(block: ControlBlock, birth: Birth, vtime: number, changed: number): void {
    this.#sql.run(
      INSERT,
      block.id,
      block.name,
      block.priority,
      block.parentId,
      shortened(block),
      JSON.stringify(birth),
      block.permissionLevel,
      JSON.stringify(birth.spec.grants ?? {}),
      JSON.stringify(birth.spec.denials ?? {}),
      birth.spec.tools === undefined ? null : JSON.stringify(birth.spec.tools),
      JSON.stringify(birth.spec.approvals?.tools ?? []),
      birth.actor.startsWith("key:") ? birth.actor : block.parentId === null ? null : this.payerOf(block.parentId),
      vtime,
      changed,
    );
  }

  /** Null also for an erased process. */
  get(agentId: string): ProcessEntry | null {
    const entry = this.#sql.first<ProcessEntry>(GET, agentId);
    return entry === undefined || entry.erased_at !== null ? null : entry;
  }

  /**
   * Takes a report in, unless a newer one is there. There will be a sign of the process until `signAt`; `platform` is what it
   * took of the platform, by day, with what it reports.
   */
  report(
    { block, seq, head, stored }: AgentReport,
    changed: number,
    signAt: number | null,
    platform: string | null,
  ): void {
    const { id, name, state, priority } = block;
    const kept = stored === undefined ? null : JSON.stringify(stored);
    const values = [
      name,
      state,
      priority,
      shortened(block),
      seq,
      changed,
      signAt,
      kept,
      head ?? null,
      platform,
      id,
      seq,
    ];
    this.#sql.run(REPORT, ...values);
  }

  /** What the process may, by the core's word: a report that was made before that word changes nothing. Also of an erased one. */
  standardOf(agentId: string): Standard | null {
    const entry = this.#sql.first<ProcessEntry>(GET, agentId);
    if (entry === undefined) return null;
    const reported = (JSON.parse(entry.block) as Partial<ControlBlock>).permissionLevel ?? "RESTRICTED";
    return {
      level: entry.level ?? reported,
      grants: JSON.parse(entry.grants ?? "{}") as Grants,
      denials: JSON.parse(entry.denials) as Denials,
      tools: entry.tools === null ? null : (JSON.parse(entry.tools) as string[]),
    };
  }

  /** The key that pays beside the process, and beside all that it spawns: `key:<id>`. Also of an erased one. */
  payerOf(agentId: string): string | null {
    return this.#sql.first<ProcessEntry>(GET, agentId)?.payer ?? null;
  }

  /** Its tools are what they were when it was born. */
  setStandard(agentId: string, { level, grants, denials }: Standard): void {
    this.#sql.run(SET_STANDARD, level, JSON.stringify(grants), JSON.stringify(denials), agentId);
  }

  /** Tools that ask a person before each call of the process. */
  asksOf(agentId: string): string[] {
    return JSON.parse(this.#sql.first<ProcessEntry>(GET, agentId)?.asks ?? "[]") as string[];
  }

  setAsks(agentId: string, tools: readonly string[]): void {
    this.#sql.run(SET_ASKS, JSON.stringify(tools), agentId);
  }

  /** Live processes below the agent, or in all: those directly below it, and how many levels there are. */
  countChildren(agentId: string | null): number {
    const found = agentId === null ? this.#sql.first<Count>(COUNT_LIVE) : this.#sql.first<Count>(COUNT_BELOW, agentId);
    return found?.n ?? 0;
  }

  /** Levels of live processes below the agent; with null, of all processes, the topmost included. */
  depthBelow(agentId: string | null): number {
    const found = agentId === null ? this.#sql.first<Count>(DEPTH) : this.#sql.first<Count>(DEPTH_BELOW, agentId);
    return found?.n ?? 0;
  }

  /** What the agent and all below it had stored as last reported; with null, what all had. */
  storedBelow(agentId: string | null): Stored {
    const found = agentId === null ? this.#sql.first<Stored>(STORED) : this.#sql.first<Stored>(STORED_BELOW, agentId);
    return found ?? NOTHING_STORED;
  }

  /** CPU of the agent's code as reported, also of an erased one: it tells its last when it closes. Null when there was none such. */
  cpuOf(agentId: string): CpuUse | null {
    const entry = this.#sql.first<ProcessEntry>(GET, agentId);
    if (entry === undefined) return null;
    return entry.cpu === null ? NO_CPU : (JSON.parse(entry.cpu) as CpuUse);
  }

  setCpu(agentId: string, use: CpuUse): void {
    this.#sql.run(SET_CPU, JSON.stringify(use), agentId);
  }

  /** CPU that code of the agent and all below it used since `at`, which is 0 or when this hour or day began; with null, of all. */
  cpuBelow(agentId: string | null, at: number): number {
    return this.#sql.first<Count>(CPU_BELOW, agentId, at)?.n ?? 0;
  }

  /** Counts what an agent was served, in virtual time. */
  serve(agentId: string, virtualCost: number): void {
    this.#sql.run(SERVE, virtualCost, agentId);
  }

  /** An agent that was away may not claim the time that it was away. */
  startAt(agentId: string, vtime: number): void {
    this.#sql.run(START_AT, vtime, agentId);
  }

  list(
    filter: { state?: State | undefined; name?: string | undefined; parentId?: string | undefined },
    after: string,
    limit: number,
  ) {
    return this.#sql.all<ProcessEntry>(
      LIST,
      after,
      filter.state ?? null,
      filter.name ?? null,
      filter.parentId ?? null,
      limit,
    );
  }

  /** The agent's ancestors, nearest first; at most `LIMITS.depthMax`. An erased process keeps its place in the tree. */
  ancestors(agentId: string): string[] {
    const found: string[] = [];
    let parent = this.#parentOf(agentId);
    while (parent !== null && found.length < LIMITS.depthMax) {
      found.push(parent);
      parent = this.#parentOf(parent);
    }
    return found;
  }

  /** Live children. */
  children(agentId: string): string[] {
    return this.#sql.all<{ id: string }>(CHILDREN, agentId, LIMITS.sweepRows).map((row) => row.id);
  }

  /** Processes after `after` whose model call may be in the calls queue, in the order of their ids. */
  inBatchLane(after: string): string[] {
    return this.#sql.all<{ id: string }>(IN_BATCH_LANE, after, LIMITS.sweepConcurrency).map((row) => row.id);
  }

  /** Processes that were accepted and whose object has not reported yet. */
  unborn(): ProcessEntry[] {
    return this.#sql.all<ProcessEntry>(UNBORN, LIMITS.sweepRows);
  }

  /** Whether the process was accepted and its object has not reported yet. */
  isUnborn(agentId: string): boolean {
    return (this.get(agentId)?.spec ?? null) !== null;
  }

  /** There is a sign of the process until `at`; null = it waits for somebody else. */
  expect(agentId: string, at: number | null): void {
    this.#sql.run(EXPECT, at, agentId);
  }

  /** Processes of which there should have been a sign before `at`. */
  silent(at: number): string[] {
    return this.#sql.all<{ id: string }>(SILENT, at, LIMITS.sweepRows).map((row) => row.id);
  }

  nextSign(): number | null {
    return this.#sql.first<{ at: number | null }>(NEXT_SIGN)?.at ?? null;
  }

  /** Leaves a tombstone. */
  erase(agentId: string, at: number, changed: number): void {
    this.#sql.run(ERASE, at, changed, agentId);
  }

  changedAfter(cursor: number, limit: number): ProcessEntry[] {
    return this.#sql.all<ProcessEntry>(CHANGED, cursor, limit);
  }

  #parentOf(agentId: string): string | null {
    return this.#sql.first<ProcessEntry>(GET, agentId)?.parent_id ?? null;
  }
}
