import type { Examined, LogRow } from "./checks/evidence.ts";
import { goesOn, type Kill } from "./killer.ts";
import type { LoadedAgent } from "./load.ts";
import type { Findings } from "./violation.ts";

/** What a run found, as a table for people. */

/** Half of the agents go on in much less; none may need more. */
export const RESUME_GOAL_MS = 5_000;
const ENTRY_CHARS = 160;

/** How long one agent took to go on by itself after one kill. */
export interface Resume {
  lane: LoadedAgent["lane"];
  ms: number;
  /** Kill and agent, and between which of its log entries it took so long. */
  story: string;
}

export interface Outcome {
  /** Where state, journal and stderr of the run stand, when something was wrong; else null. */
  kept: string | null;
  seed: number;
  kills: readonly Kill[];
  findings: Findings;
  ms: number;
  /** From the last kill until everything rested. */
  restMs: number;
  resumes: Resume[];
  agents: number;
  erased: number;
  messages: number;
  /** What the model server's journal says: requests, and those that it answered, errors included. */
  requests: number;
  replied: number;
  /** Rows of the ledger with a vendor's bill. */
  bills: number;
  /** Rows of the ledger by state. */
  calls: Record<string, number>;
  pages: number;
  segments: number;
  /** Model calls that a crash took the outcome of. */
  lost: number;
  /** Agents that ten deaths on one call stopped, and a person told to go on. */
  crashLoops: number;
}

/**
 * From a kernel that answers again to the first new log entry, for every agent that had work and could go on: at work, or
 * waiting for a call that the kill took the maker of; not stopped, not backing off from a vendor's error.
 */
export function resumesOf(quiet: readonly Kill[], agents: readonly Examined[]): Resume[] {
  return quiet.flatMap((kill) => agents.flatMap((one) => resumeOf(kill, one)));
}

function resumeOf({ number, way, point, deadAt, readyAt }: Kill, { agent, log }: Examined): Resume[] {
  const before = log.filter(({ at }) => at < deadAt);
  if (!hadWork(before)) return [];
  const first = log[before.length];
  const ms = first === undefined ? Number.POSITIVE_INFINITY : Math.max(0, first.at - readyAt);
  const between = [...before.slice(-2), ...log.slice(before.length, before.length + 2)];
  const entries = between.map(({ at, kind, text }) => `${at - readyAt} ms ${kind} ${text.slice(0, ENTRY_CHARS)}`);
  return [{ lane: agent.lane, ms, story: `kill ${number} (${way}, ${point}), ${agent.name}: ${entries.join("; ")}` }];
}

function hadWork(log: readonly LogRow[]): boolean {
  const accepted = log.filter(({ kind }) => kind === "message.accepted" || kind === "process.spawn").length;
  const done = log.filter(({ kind }) => kind === "message.done").length;
  const state = log.findLast(({ kind }) => kind === "process.state")?.data["to"];
  return accepted > done && (state === "ready" || state === "running" || (state === "waiting" && isCalling(log)));
}

const CALLS: ReadonlySet<string> = new Set(["call.start", "call.end", "call.parked"]);

/** Whether a call is under way. */
function isCalling(log: readonly LogRow[]): boolean {
  const call = log.findLast(({ kind }) => CALLS.has(kind));
  return call?.kind === "call.start" && call.data["waitsFor"] === undefined;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Lines to print. */
export function reportOf(outcome: Outcome): string[] {
  const { kills, findings, resumes, calls } = outcome;
  const batch = resumes.filter(({ lane }) => lane === "batch");
  const points = Map.groupBy(kills, ({ point, reached }) => (reached ? point : "random"));
  const ways = Map.groupBy(kills, (one) =>
    one.way === "stopped" ? (goesOn(one) ? "stopped, goes on" : "stopped, then killed") : one.way,
  );
  const counts = (groups: Map<string, Kill[]>) =>
    [...groups].map(([name, list]) => `${name} ${list.length}`).join(", ");
  return [
    `seed ${outcome.seed}, ${Math.round(outcome.ms / 1_000)} s`,
    row("at", counts(points)),
    row("of", counts(ways)),
    row(
      "load",
      `${outcome.agents} agents (${outcome.erased} erased), ${outcome.messages} messages, ${outcome.pages} pages in ${outcome.segments} segments and SQLite`,
    ),
    row(
      "model",
      `journal ${outcome.requests} requests, ${outcome.replied} answered; ledger ${outcome.bills} billed, ${Object.entries(
        calls,
      )
        .map(([state, n]) => `${n} ${state}`)
        .join(", ")}; ${outcome.lost} calls lost to crashes, ${outcome.crashLoops} crash loops`,
    ),
    row("return", spreadOf(kills.filter((one) => !goesOn(one)).map(({ deadAt, readyAt }) => readyAt - deadAt))),
    row("resume", spreadOf(resumes.map(({ ms }) => ms))),
    row("", `of the batch lane ${spreadOf(batch.map(({ ms }) => ms))}`),
    ...resumes.filter(({ ms }) => ms > RESUME_GOAL_MS).map(({ ms, story }) => row("", `${ms} ms: ${story}`)),
    row("rest", `${outcome.restMs} ms after the last kill`),
    ...checksOf(findings),
    ...(outcome.kept === null ? [] : [`the evidence is kept in ${outcome.kept}`]),
  ];
}

function spreadOf(times: readonly number[]): string {
  const [p50, p99, most] = [0.5, 0.99, 1].map((share) => quantile(times, share));
  return `p50 ${p50} ms, p99 ${p99} ms, most ${most} ms (${times.length} times)`;
}

const SHOWN_OF_A_CHECK = 5;

function checksOf({ looked, violations }: Findings): string[] {
  const lines = ["checks"];
  const found = Map.groupBy(violations, ({ check }) => check);
  for (const [check, times] of looked) {
    const bad = found.get(check) ?? [];
    lines.push(
      `  ${bad.length === 0 ? "ok  " : "FAIL"} ${check}: ${times} looks${bad.length === 0 ? "" : `, ${bad.length} violations`}`,
    );
    lines.push(...bad.slice(0, SHOWN_OF_A_CHECK).map(({ saw }) => `         ${saw}`));
  }
  return [...lines, `${violations.length} violations`];
}

function row(name: string, text: string): string {
  return `${name.padEnd(8)}${text}`;
}
