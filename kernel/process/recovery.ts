import type { Door } from "../door.ts";
import { LIMITS } from "../limits.ts";
import { countLostCpu } from "./cpu-count.ts";
import { forgetCall } from "./lost-call.ts";
import { parkCall } from "./parking.ts";
import type { AgentParts } from "./parts.ts";
import { MODEL_CALL, type PendingCall } from "./pending.ts";

/**
 * What a slice does first: finish what a dead one left behind, by effect class. A model call whose outcome is lost is made
 * again under a new id, while the core keeps the first one's money until its deadline and grace have passed.
 *
 * Ten deaths on one call under one version of the code are a crash loop: the process is stopped, with one record.
 */
export function recover(parts: AgentParts, door: Door): void {
  const interrupted = parts.pending.all().filter((call) => call.state === "running");
  const [first] = interrupted;
  if (first === undefined) return;
  countDeath(parts, first, () => {
    countLostCpu(parts, interrupted);
    for (const call of interrupted) recoverCall(parts, door, call);
  });
}

/** The consumer that had claimed a call of the batch lane is not heard any more. */
export function loseCall(parts: AgentParts, call: PendingCall): void {
  countDeath(parts, call, () => forgetCall(parts, call));
  const { state, wait_reason: reason } = parts.process.get();
  if (state === "waiting" && reason === "llm") parts.process.transition({ to: "ready" });
}

/** One more death on `call`; `mend` finishes what it left behind. */
function countDeath(parts: AgentParts, call: PendingCall, mend: () => void): void {
  const row = parts.process.get();
  const deaths = row.deaths_version === parts.version ? row.deaths + 1 : 1;
  parts.process.change({ deaths, deaths_version: parts.version });
  mend();
  // A call that was parked, or whose turn ended with it, starts anew: nobody will die of it again.
  if (parts.process.get().deaths < LIMITS.deathsPerCall || parts.process.get().state === "stopped") return;
  parts.log.append("process.crash-loop", "kernel", { deaths, call: call.name }, call.call_id);
  parts.process.transition({ to: "stopped", reason: "crash-loop" });
}

function recoverCall(parts: AgentParts, door: Door, call: PendingCall): void {
  if (call.name === MODEL_CALL) return forgetCall(parts, call);
  if (door.mayRepeat(call)) parts.pending.requeue(call.call_id);
  else parkCall(parts, call, "crash");
}
