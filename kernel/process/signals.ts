import { err, ok, type Result } from "../errors.ts";
import type { Signal } from "./message.ts";
import type { AgentParts } from "./parts.ts";
import type { State } from "./state.ts";
import { EXIT, endTurn, terminate } from "./turn.ts";

/**
 * Signals. STOP halts before the next step and keeps the result of the running one; CONT goes on; INT ends the turn; TERM
 * lets the step finish, then ends the process; KILL ends it now. One transaction each; the caller aborts what runs when
 * `abort` says so, and wakes the loop.
 */
export function signal(parts: AgentParts, name: Signal, actor: string): Result<{ state: State; abort: boolean }> {
  const row = parts.process.get();
  if (row.state === "terminated")
    return err("process_terminated", "the process has terminated; there is nothing left to signal");
  parts.log.append("process.signal", actor, { signal: name });
  const abort = act(parts, name);
  return ok({ state: parts.process.get().state, abort });
}

function act(parts: AgentParts, name: Signal): boolean {
  const { state } = parts.process.get();
  switch (name) {
    case "STOP":
      parts.process.transition({ to: "stopped", reason: "signal" });
      return false;
    case "CONT":
      if (state === "stopped") parts.process.transition({ to: "ready" }, { deaths: 0, retry_at: null });
      return false;
    case "INT":
      endTurn(parts, { state: "cancelled" });
      return true;
    case "TERM":
      parts.process.change({ pending_signal: "TERM" });
      return false;
    case "KILL":
      terminate(parts, { code: EXIT.killed, reason: "killed" }, null);
      return true;
  }
}

/** Acts on a TERM that waited for the end of the step. True when the process has ended. */
export function actOnPending(parts: AgentParts): boolean {
  if (parts.process.get().pending_signal !== "TERM" || parts.pending.away()?.state === "claimed") return false;
  terminate(parts, { code: EXIT.terminated, reason: "killed" }, null);
  return true;
}
