import { Command } from "commander";
import type { Decision } from "../../sdk/client/approvals.ts";
import { connect } from "../connection.ts";
import { UsageError } from "../exit-code.ts";
import { Printer } from "../printer.ts";
import { oneLine, table } from "../table.ts";

const QUESTION_COLUMNS = 80;

interface ApproveOptions {
  done?: boolean;
  notDone?: boolean;
  abandon?: boolean;
  note?: string;
}

/** `aos approve`: without arguments, what waits for a person; with an id, answers the question or decides on the action. */
export function approveCommand(): Command {
  return new Command("approve")
    .description("list what waits for a person, answer it, or say what became of an action")
    .argument("[id]", "an approval, apr_...")
    .argument("[answer]", "the answer to a question; with --done, what the action answered")
    .option("--done", "the action happened")
    .option("--not-done", "it did not happen: run it again, once, under the same key")
    .option("--abandon", "nobody will find out: its message ends as parked")
    .option("--note <text>", "for the record")
    .action(async (id: string | undefined, answer: string | undefined, options: ApproveOptions, command: Command) => {
      if (id === undefined) return listOpen(command);
      const approval = await say(command, id, answer, options);
      new Printer(command).print(approval, () => `${approval.id} ${approval.decision ?? approval.state}`);
    });
}

function say(command: Command, id: string, answer: string | undefined, options: ApproveOptions) {
  const decision = decisionOf(options);
  const { approvals } = connect(command);
  if (decision !== null) return approvals.decide(id, decision, { answer, note: options.note });
  if (answer === undefined) throw new UsageError("give the answer after the id, or --done, --not-done or --abandon");
  return approvals.answer(id, answer);
}

function decisionOf({ done, notDone, abandon }: ApproveOptions): Decision | null {
  const chosen = [done && "done", notDone && "not_done", abandon && "abandon"].filter(Boolean) as Decision[];
  if (chosen.length > 1) throw new UsageError("choose one of --done, --not-done and --abandon");
  return chosen[0] ?? null;
}

async function listOpen(command: Command): Promise<void> {
  const listing = await connect(command).approvals.list({ state: "open", limit: 200 });
  const rows = listing.items.map((item) => [
    item.id,
    item.agentId,
    item.createdAt,
    oneLine(item.action === null ? item.question : `${item.question} ${item.action.input}`, QUESTION_COLUMNS),
    item.options?.join(" | ") ?? "",
  ]);
  new Printer(command).print(listing, () => table(["ID", "AGENT", "SINCE", "QUESTION", "OPTIONS"], rows));
}
