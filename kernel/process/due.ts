import type { AgentParts } from "./parts.ts";

/**
 * When the process goes on by itself, in milliseconds since the epoch; null = it waits for somebody else, or has ended. What the
 * core has not seen and memory that is full are the loop's own reasons to run: see `AgentLoop.nextAlarm`.
 */
export function dueAt({ process, clock }: Pick<AgentParts, "process" | "clock">): number | null {
  const row = process.get();
  if (row.state === "terminated") return null;
  const due = [row.deadline_at];
  if (row.state === "ready" || row.state === "running") due.push(row.retry_at ?? clock.now());
  if (row.state === "waiting") due.push(row.retry_at);
  const times = due.filter((at) => at !== null);
  return times.length === 0 ? null : Math.min(...times);
}

/** The same as a duration, because clocks of two objects differ. */
export function dueInMs(parts: Pick<AgentParts, "process" | "clock">): number | null {
  const at = dueAt(parts);
  return at === null ? null : Math.max(0, at - parts.clock.now());
}
