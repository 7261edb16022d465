import type { Door } from "../door.ts";
import { err } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { AgentParts } from "./parts.ts";
import { MODEL_CALL, type PendingCall } from "./pending.ts";
import { endTurn } from "./turn.ts";

/**
 * What a slice does first: finish what a dead one left behind, by effect class. A model call whose outcome is lost is made
 * again under a new id, while the core keeps the first one's money until its deadline and grace have passed.
 *
 * Ten deaths on one call under one version of the code are a crash loop: the process is stopped, with one record.
 */
export function recover(parts: AgentParts, door: Door): void {
  const interrupted = parts.pending.all().filter((call) => call.state === "running");
  if (interrupted.length === 0) return;
  const deaths = countDeath(parts);
  for (const call of interrupted) recoverCall(parts, door, call);
  if (deaths < LIMITS.deathsPerCall || parts.process.get().state === "stopped") return;
  parts.log.append(
    "process.crash-loop",
    "kernel",
    { deaths, call: interrupted[0]?.name },
    interrupted[0]?.call_id ?? null,
  );
  parts.process.transition({ to: "stopped", reason: "crash-loop" });
}

function countDeath(parts: AgentParts): number {
  const row = parts.process.get();
  const deaths = row.deaths_version === parts.version ? row.deaths + 1 : 1;
  parts.process.change({ deaths, deaths_version: parts.version });
  return deaths;
}

function recoverCall(parts: AgentParts, door: Door, call: PendingCall): void {
  if (call.name === MODEL_CALL) return loseModelCall(parts, call);
  if (call.effect !== "external") return parts.pending.requeue(call.call_id);
  const unknown = err(
    "tool_failed",
    "a crash hid the outcome of this call; it is not run again, because it may have had its effect",
  );
  door.close(call, { result: unknown });
  parts.log.append("call.parked", "kernel", { name: call.name, step: call.step }, call.call_id);
  endTurn(parts, { state: "parked", error: unknown.error });
}

/** No settlement: the core settles the call as unknown when its time has passed, unless it hears better. */
function loseModelCall(parts: AgentParts, call: PendingCall): void {
  const row = parts.process.get();
  const bounds = JSON.parse(call.input) as { reservedNanoUsd: number };
  parts.log.append("call.end", "kernel", { name: MODEL_CALL, step: call.step, ok: false, code: "lost" }, call.call_id);
  parts.pending.delete(call.call_id);
  parts.process.change({
    turn_attempt: row.turn_attempt + 1,
    cost_nano_usd: row.cost_nano_usd + bounds.reservedNanoUsd,
  });
}
