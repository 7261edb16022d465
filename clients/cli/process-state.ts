import type { ControlBlock } from "../../kernel/process/block.ts";

/** The state of a process with its reason, e.g. `waiting(approval)`. */
export function stateOf(block: ControlBlock): string {
  const reason = block.exit ? `${block.exit.reason} ${block.exit.code}` : (block.waitReason ?? block.stopReason);
  return reason ? `${block.state}(${reason})` : block.state;
}
