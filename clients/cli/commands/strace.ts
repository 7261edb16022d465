import { Command } from "commander";
import type { StepView } from "../../../kernel/log/journal.ts";
import { connect } from "../connection.ts";
import { Printer } from "../printer.ts";
import { oneLine } from "../table.ts";

const CALL_COLUMNS = 120;

/** `aos strace`: the journal of an agent, one line a model call and below it the calls that it asked for. */
export function straceCommand(): Command {
  return new Command("strace")
    .description("an agent's journal: its model calls, and the system calls of each")
    .argument("<id>")
    .action(async (id: string, _options: object, command: Command) => {
      const printer = new Printer(command);
      for await (const step of connect(command).agents.steps(id)) printer.print(step, () => linesOf(step));
    });
}

function linesOf(step: StepView): string {
  const { promptTokens, cachedTokens, completionTokens } = step;
  const tokens = `${promptTokens} in (${cachedTokens} cached), ${completionTokens} out`;
  const call = `${String(step.step).padStart(4)} ${step.startedAt} ${step.model} ${step.state}: ${tokens}, $${step.costUsd}`;
  const calls = step.toolCalls.map((tool) => `       ${oneLine(JSON.stringify(tool), CALL_COLUMNS)}`);
  return [call, ...calls].join("\n");
}
