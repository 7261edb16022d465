import { Command } from "commander";
import { LIMITS } from "../../../kernel/limits.ts";
import type { ControlBlock } from "../../../kernel/process/block.ts";
import { isSettled } from "../../sdk/agent-os-kernel.ts";
import type { KernelClient } from "../../sdk/client/client.ts";
import { connect } from "../connection.ts";
import { EXIT } from "../exit-code.ts";
import { Printer } from "../printer.ts";
import { stateOf } from "../process-state.ts";

interface WaitOptions {
  /** Seconds. */
  timeout?: string;
}

/** `aos wait`: exits 0 when the process ended well, 4 when it failed, 1 when it is not done. */
export function waitCommand(): Command {
  return new Command("wait")
    .description("wait until an agent ends, is stopped, or needs somebody")
    .argument("<id>")
    .option("--timeout <seconds>", "give up after this; without it, wait as long as it takes")
    .action(async (id: string, options: WaitOptions, command: Command) => {
      await waitAndPrint(connect(command), id, options, command);
    });
}

/** Waits, prints the result (or what the process waits for) and sets the exit code. */
export async function waitAndPrint(
  client: KernelClient,
  id: string,
  options: WaitOptions,
  command: Command,
): Promise<void> {
  const block = await waitFor(client, id, options.timeout === undefined ? Infinity : Number(options.timeout));
  new Printer(command).print(block, () => block.result ?? outcomeOf(block));
  process.exitCode = exitOf(block);
}

function outcomeOf(block: ControlBlock): string {
  return block.lastError ? `${stateOf(block)}: ${block.lastError}` : stateOf(block);
}

async function waitFor(client: KernelClient, id: string, seconds: number): Promise<ControlBlock> {
  const end = Date.now() + seconds * 1_000;
  for (;;) {
    const left = Math.max(0, (end - Date.now()) / 1_000);
    const block = await client.agents.wait(id, { timeoutSeconds: Math.min(left, LIMITS.waitDefaultSeconds) });
    if (isSettled(block) || Date.now() >= end) return block;
  }
}

function exitOf(block: ControlBlock): number {
  if (block.exit) return block.exit.code === 0 && block.exit.reason === "completed" ? EXIT.done : EXIT.processFailed;
  if (block.state === "stopped") return EXIT.processFailed;
  return block.daemon && block.waitReason === "message" ? EXIT.done : EXIT.failed;
}
