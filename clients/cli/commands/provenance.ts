import { Command } from "commander";
import type { ProvenanceReport } from "../../../kernel/process/provenance.ts";
import { connect } from "../connection.ts";
import { Printer } from "../printer.ts";
import { oneLine, table } from "../table.ts";

const REASON_COLUMNS = 100;

/** `aos provenance ID`: what an agent has read, and what that kept it from doing alone. */
export function provenanceCommand(): Command {
  return new Command("provenance")
    .description("what an agent has read, from where, and which of its calls waited for a person")
    .argument("<id>")
    .action(async (id: string, _options: object, command: Command) => {
      const report = await connect(command).agents.provenance(id);
      new Printer(command).print(report, () => told(report));
    });
}

function told({ label, raised, held, stripped }: ProvenanceReport): string {
  const origins = raised.map(({ at, to, by }) => [at, `${to.trust}, ${to.sensitivity}`, Object.values(by).join(" ")]);
  const waits = held.map(({ at, tool, reasons }) => [
    at,
    tool,
    oneLine(reasons.map(({ message }) => message).join("; "), REASON_COLUMNS),
  ]);
  return [
    `has read: ${label.trust}, ${label.sensitivity}; ${stripped} invisible characters taken out`,
    table(["SINCE", "LABEL", "BY"], origins),
    table(["HELD", "TOOL", "WHY"], waits),
  ].join("\n\n");
}
