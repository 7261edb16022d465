import { Command } from "commander";
import type { StepView } from "../../../kernel/log/journal.ts";
import { connect } from "../connection.ts";
import { Printer } from "../printer.ts";

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
  const end = step.code === undefined ? step.state : `${step.state} (${step.code})`;
  const call = `${String(step.step).padStart(4)} ${step.startedAt} ${step.model} ${end}: ${tokens}, $${step.costUsd}`;
  return [call, ...step.toolCalls.map((tool) => `       ${tool.name} ${outcomeOf(tool)}`)].join("\n");
}

function outcomeOf({ ok, code }: StepView["toolCalls"][number]): string {
  if (ok === null) return "running";
  return ok ? "ok" : (code ?? "failed");
}
