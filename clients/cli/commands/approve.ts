import { Command } from "commander";
import { connect } from "../connection.ts";
import { UsageError } from "../exit-code.ts";
import { Printer } from "../printer.ts";
import { oneLine, table } from "../table.ts";

const QUESTION_COLUMNS = 80;

/** `aos approve`: without arguments, what waits for a person; with an id and an answer, gives it. */
export function approveCommand(): Command {
  return new Command("approve")
    .description("list what waits for a person, or answer it")
    .argument("[id]", "an approval, apr_...")
    .argument("[answer]")
    .action(async (id: string | undefined, answer: string | undefined, _options: object, command: Command) => {
      if (id === undefined) return listOpen(command);
      if (answer === undefined) throw new UsageError("give the answer after the id");
      const approval = await connect(command).approvals.answer(id, answer);
      new Printer(command).print(approval, () => `${approval.id} ${approval.state}`);
    });
}

async function listOpen(command: Command): Promise<void> {
  const listing = await connect(command).approvals.list({ state: "open", limit: 200 });
  const rows = listing.items.map((item) => [
    item.id,
    item.agentId,
    item.createdAt,
    oneLine(item.question, QUESTION_COLUMNS),
    item.options?.join(" | ") ?? "",
  ]);
  new Printer(command).print(listing, () => table(["ID", "AGENT", "SINCE", "QUESTION", "OPTIONS"], rows));
}
