import { err, type KernelError } from "../errors.ts";
import { labelOf } from "../security/label.ts";
import { countLostCpu } from "./cpu-count.ts";
import { abandonCall } from "./lost-call.ts";
import type { MessageEnd } from "./mailbox.ts";
import type { AgentParts } from "./parts.ts";
import { MODEL_CALL } from "./pending.ts";
import type { ProcessChange } from "./process-store.ts";
import { raise } from "./provenance.ts";
import type { ExitReason } from "./state.ts";

/**
 * A turn: the work on one message, from taking it out of the mailbox to its end. Each function here is one transaction's
 * worth of changes; callers wrap it.
 */

/** Who sent the goal: it is the first message of every process. */
export const GOAL_SENDER = "kernel";

/** Exit codes, as a shell would show them. */
export const EXIT = { completed: 0, failed: 1, deadline: 124, interrupted: 130, killed: 137, terminated: 143 } as const;

const TURN_OVER: ProcessChange = {
  turn_message_id: null,
  turn_step: 0,
  turn_attempt: 0,
  retry_at: null,
  retries: 0,
  deaths: 0,
  cut_call: null,
};

/** Takes the oldest message into the context. False when the mailbox is empty. */
export function startTurn(parts: AgentParts): boolean {
  const message = parts.mailbox.next();
  if (message === null) return false;
  parts.mailbox.started(message.id);
  if (message.sender !== GOAL_SENDER) raise(parts, labelOf(message.label), { message: message.id });
  parts.context.appendMessage(message.content, message.sender);
  parts.process.change({ ...TURN_OVER, turn_message_id: message.id });
  parts.log.append("turn.start", GOAL_SENDER, { messageId: message.id, from: message.sender });
  return true;
}

/** Ends the turn's message and moves the process on: to its next message, to waiting, or to its end. */
export function endTurn(parts: AgentParts, end: MessageEnd): void {
  const row = parts.process.get();
  const messageId = row.turn_message_id;
  if (messageId === null) return;
  const isGoal = parts.mailbox.get(messageId)?.sender === GOAL_SENDER;
  endMessage(parts, messageId, end);
  if (end.state === "answered") parts.context.appendReply(end.reply);
  abandonCalls(parts);
  parts.process.change({ ...TURN_OVER, last_error: "error" in end ? end.error.message : null });
  if (isGoal && row.daemon === 0) return endGoal(parts, end);
  rest(parts);
}

/** Records how a message ended. */
export function endMessage(parts: AgentParts, messageId: string, end: MessageEnd): void {
  if (!parts.mailbox.end(messageId, end)) return;
  parts.log.append("message.done", GOAL_SENDER, {
    messageId,
    state: end.state,
    ...("error" in end ? { code: end.error.code } : {}),
  });
}

/** Ends the process: whatever waits in the mailbox ends with it. */
export function terminate(parts: AgentParts, exit: { code: number; reason: ExitReason }, result: string | null): void {
  const running = parts.process.get().turn_message_id;
  const error = err("process_terminated", `the process ended (${exit.reason}) before it came to this message`).error;
  for (const message of parts.mailbox.open()) {
    const ended: MessageEnd =
      message.id === running && result !== null ? { state: "answered", reply: result } : { state: "failed", error };
    endMessage(parts, message.id, ended);
  }
  abandonCalls(parts);
  parts.process.transition({ to: "terminated", exit, result }, { ...TURN_OVER, pending_signal: null });
}

/** Where a process without a running turn belongs: at work when there is mail, waiting or ended when not. */
export function rest(parts: AgentParts): void {
  const row = parts.process.get();
  if (row.state === "stopped" || row.state === "terminated") return;
  if (parts.mailbox.next() !== null) return parts.process.transition({ to: "ready" });
  if (row.daemon === 1) return parts.process.transition({ to: "waiting", reason: "message" });
  terminate(parts, { code: EXIT.completed, reason: "completed" }, row.result);
}

/** A goal that failed ends the process; one that is done leaves its result and lets waiting mail be answered first. */
function endGoal(parts: AgentParts, end: MessageEnd): void {
  if (end.state === "answered") {
    parts.process.change({ result: end.reply });
    return rest(parts);
  }
  const cancelled = end.state === "cancelled";
  terminate(
    parts,
    cancelled ? { code: EXIT.interrupted, reason: "killed" } : { code: EXIT.failed, reason: "failed" },
    null,
  );
}

/** Nobody waits for the calls of the turn any more. */
function abandonCalls(parts: AgentParts): void {
  const call = parts.pending.all().find(({ name, state }) => name === MODEL_CALL && state !== "done");
  if (call !== undefined) abandonCall(parts, call);
  countLostCpu(parts, parts.pending.all());
  parts.pending.clear();
}

export function failed(error: KernelError): MessageEnd {
  return { state: "failed", error };
}
