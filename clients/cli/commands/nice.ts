import { Command, InvalidArgumentError } from "commander";
import { LIMITS } from "../../../kernel/limits.ts";
import { connect } from "../connection.ts";
import { Printer } from "../printer.ts";

/** `aos nice <priority> <id>...`: lower runs first. */
export function niceCommand(): Command {
  return new Command("nice")
    .description("change the priority of agents: lower runs first")
    .argument("<priority>", `0 to ${LIMITS.priorityMax}`, priorityOf)
    .argument("<id...>")
    .action(async (priority: number, ids: string[], _options: object, command: Command) => {
      const client = connect(command);
      for (const id of ids) {
        const block = await client.agents.update(id, { priority });
        new Printer(command).print(block, () => `${block.id} has priority ${block.priority}`);
      }
    });
}

function priorityOf(text: string): number {
  const priority = Number(text);
  if (/^\d+$/.test(text) && priority <= LIMITS.priorityMax) return priority;
  throw new InvalidArgumentError(`It takes a whole number from 0 to ${LIMITS.priorityMax}.`);
}
