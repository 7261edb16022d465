import { Command } from "commander";
import { QUOTA_NAMES, type QuotaLimit, type QuotaName, type Quotas } from "../../../kernel/process/spec.ts";
import type { QuotasOf, TenantQuotas } from "../../sdk/client/quotas.ts";
import { connect } from "../connection.ts";
import { UsageError } from "../exit-code.ts";
import { Printer } from "../printer.ts";
import { table } from "../table.ts";

/** `aos quota`: the tenant's budgets, and those of its keys. */
export function quotaCommands(): Command {
  const quota = new Command("quota").description("the tenant's budgets, or a key's: show, set");
  return quota.addCommand(show(), { isDefault: true }).addCommand(set());
}

const OF_KEY = ["--key-id <id>", "of this key instead of the whole tenant"] as const;

function show(): Command {
  return new Command("show")
    .description("show them")
    .option(...OF_KEY)
    .action(async (of: QuotasOf, command: Command) => {
      const quotas = await connect(command).quotas.get(of);
      new Printer(command).print(quotas, () => quotaTable(quotas));
    });
}

function set(): Command {
  return new Command("set")
    .description("set exactly these and remove the others; none removes all")
    .argument("[quota...]", `<name>=<limit>[/hour|/day]; names: ${QUOTA_NAMES.join(", ")}`)
    .option(...OF_KEY)
    .action(async (words: string[], of: QuotasOf, command: Command) => {
      const quotas = await connect(command).quotas.set(parse(words), of);
      new Printer(command).print(quotas, () => quotaTable(quotas));
    });
}

function quotaTable({ quotas }: TenantQuotas): string {
  const rows = Object.entries(quotas).map(([name, { limit, used, reserved, per }]) => {
    return [name, String(limit), per, String(used), String(reserved)];
  });
  return table(["QUOTA", "LIMIT", "PER", "USED", "RESERVED"], rows);
}

const WORD = /^(\w+)=(\d+)(?:\/(hour|day|total))?$/;

function parse(words: readonly string[]): Quotas {
  return Object.fromEntries(words.map(parseOne));
}

function parseOne(word: string): [QuotaName, QuotaLimit] {
  const [, given, limit, per] = WORD.exec(word) ?? [];
  const name = QUOTA_NAMES.find((known) => known === given);
  if (name === undefined) throw new UsageError(`${word} is no quota; write e.g. tokens=1000000 or nanoUsd=5000000/day`);
  return [name, per === undefined ? Number(limit) : { limit: Number(limit), per: per as "hour" | "day" | "total" }];
}
