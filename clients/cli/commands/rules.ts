import { Command } from "commander";
import type { ApprovalRule } from "../../../kernel/scheduler/approval-rules.ts";
import { connect } from "../connection.ts";
import { Printer } from "../printer.ts";
import { table } from "../table.ts";

/** `aos rules`: rules that answer approvals. `aos approve --remember` makes them. */
export function ruleCommands(): Command {
  const rules = new Command("rules").description("rules that answer approvals in a person's place: list, delete");
  return rules.addCommand(list(), { isDefault: true }).addCommand(remove());
}

function list(): Command {
  return new Command("ls").description("list them").action(async (_options: object, command: Command) => {
    const listing = await connect(command).approvalRules.list({ limit: 200 });
    new Printer(command).print(listing, () =>
      table(["RULE", "SAYS", "WHOSE", "TOOL", "ABOUT", "UNTIL", "BY"], listing.items.map(row)),
    );
  });
}

function row(rule: ApprovalRule): string[] {
  const about = rule.for === "tool" ? "every call" : `${rule.for} ${rule.value ?? ""}`;
  const whose = rule.agentId === null ? "tenant" : `${rule.scope} ${rule.agentId}`;
  return [rule.id, rule.decision, whose, rule.tool, about, rule.until ?? "", rule.by];
}

function remove(): Command {
  return new Command("rm")
    .description("delete one: it counts for nothing from the next call on")
    .argument("<id>", "rule_...")
    .action(async (id: string, _options: object, command: Command) => {
      await connect(command).approvalRules.delete(id);
    });
}
