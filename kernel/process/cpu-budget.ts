import { LIMITS } from "../limits.ts";
import { cpuHeldMs } from "./cpu-count.ts";
import { hearCore, metersOf, standingOf } from "./meters.ts";
import type { AgentParts } from "./parts.ts";
import type { PendingCall } from "./pending.ts";
import { hasWork } from "./prepare.ts";
import { reportOf } from "./report.ts";

/**
 * Holds a process to `cpuMs`. A run of code holds the most that it may use from the transaction that begins it: its row in
 * `pending` is the reservation. What it burned takes that place in the transaction of its outcome; where no outcome comes, the
 * reservation counts, in the transaction that finds that out. So a run counts once, whatever dies when.
 *
 * The process's own quota is exact for what it runs itself; those above it are as its core counted them last (`QuotaRoom`).
 */

type CpuParts = Pick<AgentParts, "process" | "pending" | "syscalls" | "clock">;
type Shortage = { subject: string; limit: number; used: number; reserved: number };

/**
 * Whether a queued call may begin that uses up to `needMs`. When it may not by what the core said last, the core is asked; then
 * the call either waits for its quota, or is to be looked at anew, because other events ran meanwhile.
 */
export async function mayBurn(parts: AgentParts, call: PendingCall, needMs: number): Promise<boolean> {
  if (needMs === 0 || shortageOf(parts, needMs) === null) return true;
  const { report } = reportOf(parts);
  const reply = await parts.core.settleAndGrant(report, null);
  if (reply !== null) hearCore(parts, report.seq, reply.standing);
  parts.tx.run(() => {
    if (!hasWork(parts) || parts.pending.get(call.call_id)?.state !== "queued") return;
    if (reply === null) askAgain(parts);
    else waitIfShort(parts, call, needMs);
  });
  return false;
}

function shortageOf(parts: CpuParts, needMs: number): Shortage | null {
  const row = parts.process.get();
  const heldMs = cpuHeldMs(parts);
  const standing = standingOf(row);
  const { cpuMs: own } = metersOf(row, { now: parts.clock.now(), cpuHeldMs: () => heldMs });
  if (own !== undefined) {
    const limit = standing?.meters.cpuMs?.limit ?? own.limit;
    const { used, reserved } = own;
    if (used + reserved + needMs > limit) return { subject: row.id, limit, used, reserved };
  }
  const cpu = standing?.cpu;
  if (cpu === undefined || cpu.above === null) return null;
  const { subject, limit, used } = cpu.above;
  const now = { limit, used: used + row.cpu_ms - cpu.countedMs, reserved: heldMs };
  return now.used + now.reserved + needMs > limit ? { subject, ...now } : null;
}

function askAgain({ process, clock }: AgentParts): void {
  process.transition({ to: "ready" }, { retry_at: clock.now() + LIMITS.backoffBaseMs });
}

function waitIfShort(parts: AgentParts, call: PendingCall, needMs: number): void {
  const short = shortageOf(parts, needMs);
  if (short === null) return;
  const data = { ...short, metric: "cpuMs", name: call.name };
  parts.log.append("quota.spent", "kernel", data, call.call_id);
  parts.process.transition({ to: "waiting", reason: "quota" }, { retry_at: null });
}
