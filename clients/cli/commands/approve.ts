import { Command, Option } from "commander";
import { RULE_KINDS, RULE_SCOPES, type RuleKind, type RuleScope } from "../../../kernel/scheduler/approval-rules.ts";
import type { Decision } from "../../sdk/client/approvals.ts";
import { connect } from "../connection.ts";
import { UsageError } from "../exit-code.ts";
import { Printer } from "../printer.ts";
import { oneLine, table } from "../table.ts";

const QUESTION_COLUMNS = 80;

interface ApproveOptions {
  yes?: boolean;
  deny?: boolean;
  sha256?: string;
  remember?: RuleScope;
  for?: RuleKind;
  until?: string;
  done?: boolean;
  notDone?: boolean;
  abandon?: boolean;
  note?: string;
}

/** `aos approve`: without arguments, what waits for a person; with an id, answers the question or decides on the action. */
export function approveCommand(): Command {
  return new Command("approve")
    .description("list what waits for a person, answer it, let an action run or not, or say what became of it")
    .argument("[id]", "an approval, apr_...")
    .argument("[answer]", "the answer to a question; with --done, what the action answered")
    .option("-y, --yes", "let the action run, once")
    .option("--deny", "do not let it run; the agent is told, with the note")
    .option("--sha256 <hash>", "the action that you saw: a decision on any other is refused")
    .addOption(new Option("--remember <scope>", "make a rule that decides alike").choices(RULE_SCOPES))
    .addOption(new Option("--for <kind>", "what the rule is about; exact when absent").choices(RULE_KINDS))
    .option("--until <time>", "RFC 3339, when the rule ends")
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
  const { note, sha256: actionSha256 } = options;
  if (decision !== null)
    return approvals.decide(id, decision, { answer, note, actionSha256, remember: rememberOf(options) });
  if (answer === undefined) throw new UsageError(`give the answer after the id, or one of ${FLAGS}`);
  return approvals.answer(id, answer);
}

function rememberOf({ remember: scope, for: kind, until }: ApproveOptions) {
  if (scope === undefined) return undefined;
  return { scope, ...(kind !== undefined && { for: kind }), ...(until !== undefined && { until }) };
}

const FLAGS = "--yes, --deny, --done, --not-done and --abandon";

function decisionOf({ yes, deny, done, notDone, abandon }: ApproveOptions): Decision | null {
  const given = { approve: yes, deny, done, not_done: notDone, abandon };
  const chosen = Object.entries(given).flatMap(([decision, isGiven]) => (isGiven ? [decision as Decision] : []));
  if (chosen.length > 1) throw new UsageError(`choose one of ${FLAGS}`);
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
