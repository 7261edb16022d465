import { Command, Option } from "commander";
import { COST_GROUPS, type CostGroup, type CostReport } from "../../../kernel/scheduler/costs.ts";
import { connect } from "../connection.ts";
import { Printer } from "../printer.ts";
import { table } from "../table.ts";

interface CostOptions {
  by: CostGroup;
  from?: string;
  to?: string;
}

/** `aos cost`: the bill. */
export function costCommand(): Command {
  return new Command("cost")
    .description("the bill, to the nano-dollar, and the platform's own as estimated")
    .addOption(new Option("--by <group>", "one line for each").choices(COST_GROUPS).default("agent"))
    .option("--from <time>", "RFC 3339; by default all that is known")
    .option("--to <time>", "RFC 3339; by default now")
    .action(async ({ by, from, to }: CostOptions, command: Command) => {
      const period = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
      const report = await connect(command).ledger.costs({ groupBy: by, ...period });
      new Printer(command).print(report, () => costTable(by, report));
    });
}

function costTable(by: CostGroup, { items, totalUsd, platform }: CostReport): string {
  const rows = items.map((item) => [
    item.key,
    String(item.calls),
    String(item.promptTokens),
    String(item.cachedTokens),
    String(item.completionTokens),
    String(item.unknown),
    `$${item.costUsd}`,
    item.platform === null ? "" : `$${item.platform.costUsd}`,
  ]);
  const header = [by.toUpperCase(), "CALLS", "IN", "CACHED", "OUT", "UNKNOWN", "COST", "PLATFORM"];
  return table(header, [...rows, ["total", "", "", "", "", "", `$${totalUsd}`, `$${platform.costUsd}`]]);
}
