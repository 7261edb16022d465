import { ok, type Result } from "../../kernel/errors.ts";
import type { MessageState, MessageView } from "../../kernel/process/message.ts";
import { type AgentObject, answer, type ReachAgent } from "../objects.ts";
import { waitUntil } from "./wait-until.ts";

const UNDER_WAY: readonly MessageState[] = ["queued", "running"];

/** The message once it has ended, or null when it has not after `timeoutMs`. */
export async function waitForMessage(
  reach: ReachAgent,
  messageId: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Result<MessageView | null>> {
  const look = async (agent: AgentObject) => {
    const message = await answer(agent.message(messageId));
    return message.ok ? ok({ value: message.value, isOver: hasEnded(message.value) }) : message;
  };
  const message = await waitUntil(reach, { look, wakes: ["message.done"], timeoutMs, signal });
  return message.ok && !hasEnded(message.value) ? ok(null) : message;
}

function hasEnded(message: MessageView): boolean {
  return !UNDER_WAY.includes(message.state);
}
