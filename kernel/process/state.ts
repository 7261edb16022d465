import { KernelBug } from "../errors.ts";

/** The states of a process and the one table of legal transitions; any other transition is a bug. */

export const STATES = ["new", "ready", "running", "waiting", "stopped", "terminated"] as const;
export type State = (typeof STATES)[number];

export const WAIT_REASONS = ["llm", "tool", "message", "timer", "approval", "child", "quota"] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

export const STOP_REASONS = ["signal", "crash-loop"] as const;
export type StopReason = (typeof STOP_REASONS)[number];

export const EXIT_REASONS = ["completed", "failed", "killed", "deadline"] as const;
export type ExitReason = (typeof EXIT_REASONS)[number];

const LEGAL: Record<State, readonly State[]> = {
  new: ["ready", "terminated"],
  ready: ["running", "waiting", "stopped", "terminated"],
  running: ["ready", "waiting", "stopped", "terminated"],
  waiting: ["ready", "running", "stopped", "terminated"],
  stopped: ["ready", "terminated"],
  terminated: [],
};

export function isLegal(from: State, to: State): boolean {
  return LEGAL[from].includes(to);
}

export function assertLegal(from: State, to: State): void {
  if (!isLegal(from, to)) throw new KernelBug(`illegal transition ${from} -> ${to}`);
}
