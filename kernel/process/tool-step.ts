import type { CallOutcome, Door } from "../door.ts";
import type { ChatMessage, ToolCall } from "../llm/chat.ts";
import { toolResult } from "../tools/result.ts";
import type { Next } from "./next.ts";
import { awaitConsent, awaitVerdict } from "./parking.ts";
import type { AgentParts } from "./parts.ts";
import { MODEL_CALL, type PendingCall } from "./pending.ts";
import { EXIT, terminate } from "./turn.ts";

/**
 * The tool calls of one step: reads run beside each other, everything else in the order in which the model asked. When
 * all outcomes are there, the assistant's message and its results become one indivisible group of the context.
 */

type Spoken = { content: string; reasoning: string; toolCalls: ToolCall[] };

export async function toolStep(parts: AgentParts, door: Door, abort: AbortSignal): Promise<Next> {
  const calls = parts.pending.all();
  const parked = calls.find((call) => call.state === "parked");
  if (parked !== undefined) return awaitVerdict(parts, door, parked);
  const held = calls.filter((call) => call.state === "held");
  if (held.length > 0) return awaitConsent(parts, door, held);
  const queued = calls.filter((call) => call.state === "queued");
  const batch = firstBatch(queued, door);
  if (batch.length > 0) {
    await Promise.all(batch.map((call) => door.run(call, abort)));
    return "again";
  }
  if (calls.some((call) => call.state === "waiting")) {
    parts.tx.run(() => parts.process.transition({ to: "waiting", reason: "approval" }));
    return "rest";
  }
  parts.tx.run(() => finish(parts));
  return "again";
}

/** The leading calls that may run together: all the reads, or the one call that is first. */
function firstBatch(queued: PendingCall[], door: Door): PendingCall[] {
  const firstWrite = queued.findIndex((call) => !door.isPure(call));
  if (firstWrite === -1) return queued;
  return queued.slice(0, Math.max(1, firstWrite));
}

function finish(parts: AgentParts): void {
  const calls = parts.pending.all();
  const outcomes = calls.filter((call) => call.name !== MODEL_CALL).map((call) => ({ call, outcome: outcomeOf(call) }));
  const spoken = JSON.parse(calls.find((call) => call.name === MODEL_CALL)?.outcome ?? "null") as Spoken | null;
  if (spoken !== null) parts.context.appendExchange(exchangeOf(spoken, outcomes));
  parts.pending.clear();
  const exit = outcomes.find(({ outcome }) => outcome.exit !== undefined)?.outcome.exit;
  if (exit !== undefined)
    return terminate(
      parts,
      { code: exit.code, reason: exit.code === EXIT.completed ? "completed" : "failed" },
      exit.result,
    );
  parts.process.change({ turn_step: parts.process.get().turn_step + 1 });
}

function exchangeOf(spoken: Spoken, outcomes: { call: PendingCall; outcome: CallOutcome }[]): ChatMessage[] {
  const assistant: ChatMessage = {
    role: "assistant",
    content: spoken.content === "" ? null : spoken.content,
    tool_calls: spoken.toolCalls,
    ...(spoken.reasoning === "" ? {} : { reasoning_content: spoken.reasoning }),
  };
  const results = outcomes.map(
    ({ call, outcome }): ChatMessage => ({
      role: "tool",
      tool_call_id: call.tool_call_id ?? "",
      content: toolResult(outcome.result),
    }),
  );
  return [assistant, ...results];
}

function outcomeOf(call: PendingCall): CallOutcome {
  return JSON.parse(call.outcome ?? "null") as CallOutcome;
}
