import type { AgentParts } from "./parts.ts";
import type { PendingCall } from "./pending.ts";

/** CPU that runs of code hold and used, as the tables say it. `cpu-budget.ts` says whether there is room for another. */

type CpuParts = Pick<AgentParts, "process" | "pending" | "syscalls">;

/** What runs that are under way hold. */
export function cpuHeldMs({ pending, syscalls }: Pick<CpuParts, "pending" | "syscalls">): number {
  const running = pending.all().filter(({ state }) => state === "running");
  return running.reduce((sum, { name }) => sum + (syscalls[name]?.cpuMs ?? 0), 0);
}

/** What the process waits for when a quota of CPU keeps its next call; null = it waits for none. */
export function awaitedCpuMs({ process, pending, syscalls }: CpuParts): number | null {
  const { state, wait_reason: reason } = process.get();
  if (state !== "waiting" || reason !== "quota") return null;
  const next = pending.all().find((call) => call.state === "queued");
  return (next === undefined ? null : syscalls[next.name]?.cpuMs) ?? null;
}

/** Counts what runs hold that nobody will hear of any more. The caller's transaction. */
export function countLostCpu(parts: AgentParts, calls: readonly PendingCall[]): void {
  for (const { call_id: callId, name, state } of calls) {
    const cpuMs = state === "running" ? (parts.syscalls[name]?.cpuMs ?? 0) : 0;
    if (cpuMs > 0) countUnknownCpu(parts, callId, cpuMs);
  }
}

/** Counts CPU of an attempt without an outcome. The caller's transaction. */
export function countUnknownCpu({ process, log }: AgentParts, callId: string, cpuMs: number): void {
  if (cpuMs === 0) return;
  process.change({ cpu_ms: process.get().cpu_ms + cpuMs });
  log.append("cpu.unknown", "kernel", { cpuMs }, callId);
}
