import { Command } from "commander";
import { connect } from "../connection.ts";
import { Printer } from "../printer.ts";
import { oneLine, table } from "../table.ts";

const DESCRIPTION_COLUMNS = 80;

/** `aos tools`: what models may be offered. */
export function toolsCommand(): Command {
  return new Command("tools")
    .description("the tools that models may be offered")
    .action(async (_options: object, command: Command) => {
      const listing = await connect(command).tools.list();
      const rows = listing.items.map(({ name, capability, effect, description }) => [
        name,
        capability,
        effect,
        oneLine(description, DESCRIPTION_COLUMNS),
      ]);
      new Printer(command).print(listing, () => table(["TOOL", "NEEDS", "EFFECT", "DESCRIPTION"], rows));
    });
}
