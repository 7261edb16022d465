import { Command } from "commander";
import { connect } from "../connection.ts";
import { Printer } from "../printer.ts";
import { oneLine, table } from "../table.ts";

const DESCRIPTION_COLUMNS = 80;

/** `aos providers`, `aos tools`: what agents can use. */
export function deviceCommands(): Command[] {
  return [providers(), tools()];
}

function providers(): Command {
  return new Command("providers")
    .description("the vendors of models that are configured")
    .action(async (_options: object, command: Command) => {
      const listing = await connect(command).devices.providers();
      const rows = listing.items.map(({ name, isDefault, models }) => [
        name,
        isDefault ? "default" : "",
        models.join(" "),
      ]);
      new Printer(command).print(listing, () => table(["PROVIDER", "", "MODELS"], rows));
    });
}

function tools(): Command {
  return new Command("tools")
    .description("the tools that models may be offered")
    .action(async (_options: object, command: Command) => {
      const listing = await connect(command).devices.tools();
      const rows = listing.items.map(({ name, capability, effect, description }) => [
        name,
        capability,
        effect,
        oneLine(description, DESCRIPTION_COLUMNS),
      ]);
      new Printer(command).print(listing, () => table(["TOOL", "NEEDS", "EFFECT", "DESCRIPTION"], rows));
    });
}
