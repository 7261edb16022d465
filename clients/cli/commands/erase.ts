import { Command } from "commander";
import { connect } from "../connection.ts";

/** `aos erase <id>...`: there is no way back. */
export function eraseCommand(): Command {
  return new Command("erase")
    .description("kill agents and erase them in every tier, for good")
    .argument("<id...>")
    .action(async (ids: string[], _options: object, command: Command) => {
      const client = connect(command);
      for (const id of ids) await client.agents.erase(id);
    });
}
