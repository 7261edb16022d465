import { ok, type Result } from "../../kernel/errors.ts";
import type { ControlBlock } from "../../kernel/process/block.ts";
import type { WaitReason } from "../../kernel/process/state.ts";
import { type AgentObject, answer, type ReachAgent } from "../objects.ts";
import { waitUntil } from "./wait-until.ts";

/** What nothing but somebody outside can end: a person's answer, a bigger budget, a new message. */
const NEEDS_SOMEBODY: readonly (WaitReason | null)[] = ["approval", "quota", "message"];

/** The control block once the process has ended, is stopped, or needs somebody; or as it is after `timeoutMs`. */
export function waitForProcess(
  reach: ReachAgent,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Result<ControlBlock>> {
  const look = async (agent: AgentObject) => {
    const block = await answer(agent.block());
    return block.ok ? ok({ value: block.value, isOver: isSettled(block.value) }) : block;
  };
  return waitUntil(reach, { look, wakes: ["process.state"], timeoutMs, signal });
}

function isSettled(block: ControlBlock): boolean {
  if (block.state === "terminated" || block.state === "stopped") return true;
  return block.state === "waiting" && NEEDS_SOMEBODY.includes(block.waitReason);
}
