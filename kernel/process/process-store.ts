import { KernelBug } from "../errors.ts";
import type { Log } from "../log/log.ts";
import type { PlatformMeter } from "../platform/platform-meter.ts";
import type { Clock, Sql, SqlRow } from "../ports.ts";
import type { Lane, PermissionLevel } from "./spec.ts";
import { assertLegal, type ExitReason, type State, type StopReason, type WaitReason } from "./state.ts";

/** The one row of truth about a process, cached for reading, and the only way to change its state. */

export interface ProcessRow extends SqlRow {
  id: string;
  tenant: string;
  name: string;
  role: string;
  goal: string;
  instructions: string;
  /** `provider/model` */
  model: string;
  /** The models that `model` is chosen from, as JSON (routing.ts); null = it is the only one. */
  routing: string | null;
  lane: Lane;
  priority: number;
  permission_level: PermissionLevel;
  daemon: number;
  parent_id: string | null;
  tools: string | null;
  quotas: string;
  /** What was granted on top of the level, as JSON. */
  grants: string;
  /** What was denied whatever the level and the grants say, as JSON. */
  denials: string;
  /** Names of tools that always ask, as a JSON array. */
  asks: string;
  /** Of everything that it has read: `trust/sensitivity`. */
  label: string;
  /** Invisible characters that were taken out of what it read. */
  stripped: number;
  window_tokens: number;
  page_tokens: number;
  replacement: string;
  max_output_tokens: number;
  deadline_at: number | null;
  state: State;
  wait_reason: WaitReason | null;
  stop_reason: StopReason | null;
  exit_code: number | null;
  exit_reason: ExitReason | null;
  result: string | null;
  last_error: string | null;
  pending_signal: "TERM" | "INT" | null;
  turn_message_id: string | null;
  turn_step: number;
  turn_attempt: number;
  fence: number;
  retry_at: number | null;
  retries: number;
  deaths: number;
  deaths_version: string;
  cut_call: string | null;
  prompt_tokens: number;
  cached_tokens: number;
  completion_tokens: number;
  cost_nano_usd: number;
  steps: number;
  tool_calls: number;
  /** CPU that its code used, in milliseconds. */
  cpu_ms: number;
  /** What was counted of the platform when the row was last written, as JSON. */
  platform: string | null;
  standing: string | null;
  exported_seq: number;
  erased_at: number | null;
  created_at: number;
  updated_at: number;
}

export type ProcessChange = Partial<
  Omit<ProcessRow, "id" | "tenant" | "state" | "platform" | "created_at" | "updated_at">
>;

/** What a state brings with it. */
export type StateFacts =
  | { to: "ready" | "running" }
  | { to: "waiting"; reason: WaitReason }
  | { to: "stopped"; reason: StopReason }
  | { to: "terminated"; exit: { code: number; reason: ExitReason }; result: string | null };

const GET = "SELECT * FROM process";

export class ProcessStore {
  readonly #sql: Sql;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #meter: Pick<PlatformMeter, "usage">;
  #row: ProcessRow | null = null;

  constructor(ports: { sql: Sql; clock: Clock; meter: Pick<PlatformMeter, "usage"> }, log: Log) {
    this.#meter = ports.meter;
    this.#sql = ports.sql;
    this.#clock = ports.clock;
    this.#log = log;
  }

  /** Writes the first and only row. */
  create(row: ProcessRow): void {
    const columns = Object.keys(row);
    const marks = columns.map(() => "?").join(", ");
    this.#sql.run(`INSERT INTO process (${columns.join(", ")}) VALUES (${marks})`, ...Object.values(row));
    this.#row = row;
  }

  get(): Readonly<ProcessRow> {
    this.#row ??= this.#sql.first<ProcessRow>(GET) ?? null;
    if (this.#row === null) throw new KernelBug("no process was spawned here");
    return this.#row;
  }

  /** Changes columns that are not the state. */
  change(change: ProcessChange): void {
    this.#write({ ...change, updated_at: this.#clock.now() });
  }

  /** Moves to another state, or to the same one for another reason, and logs it. Illegal moves are bugs. */
  transition(facts: StateFacts, change: ProcessChange = {}): void {
    const from = this.get();
    const same = from.state === facts.to;
    const waitReason = facts.to === "waiting" ? facts.reason : null;
    if (same && from.wait_reason === waitReason) return this.change(change);
    if (!same) assertLegal(from.state, facts.to);
    const exit = facts.to === "terminated" ? facts.exit : null;
    this.#write({
      ...change,
      state: facts.to,
      wait_reason: waitReason,
      stop_reason: facts.to === "stopped" ? facts.reason : null,
      ...(facts.to === "terminated"
        ? { exit_code: facts.exit.code, exit_reason: facts.exit.reason, result: facts.result }
        : {}),
      updated_at: this.#clock.now(),
    });
    this.#log.append("process.state", "kernel", {
      from: from.state,
      to: facts.to,
      ...("reason" in facts ? { reason: facts.reason } : {}),
      ...(exit === null ? {} : { exit }),
    });
  }

  /** To be called when a transaction was rolled back. */
  forget(): void {
    this.#row = null;
  }

  /** What was counted of the platform goes along, because the row is written anyway. */
  #write(facts: Partial<ProcessRow>): void {
    const change = { ...facts, platform: JSON.stringify(this.#meter.usage()) };
    const entries = Object.entries(change) as [string, string | number | null][];
    const assignments = entries.map(([column]) => `${column} = ?`).join(", ");
    this.#sql.run(`UPDATE process SET ${assignments}`, ...entries.map(([, value]) => value));
    this.#row = { ...this.get(), ...change } as ProcessRow;
  }
}
