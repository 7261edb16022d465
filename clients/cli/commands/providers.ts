import { Command } from "commander";
import type { ProviderView } from "../../sdk/client/providers.ts";
import { connect } from "../connection.ts";
import { Printer } from "../printer.ts";
import { table } from "../table.ts";

/** `aos providers`: vendors of models, and how the accounts with them stand. */
export function providersCommand(): Command {
  return new Command("providers")
    .description("vendors of models: what is configured, what is under way, what failed")
    .action(async (_options: object, command: Command) => {
      const providers = await connect(command).providers.list();
      new Printer(command).print({ items: providers, nextCursor: null }, () => providerTable(providers));
    });
}

const HEAD = ["PROVIDER", "MODELS", "BREAKER", "IN USE", "WAITING", "PER MINUTE", "LAST ERROR"];

function providerTable(providers: readonly ProviderView[]): string {
  return table(HEAD, providers.map(row));
}

function row({ name, configured, models, isDefault, gate }: ProviderView): string[] {
  const head = [isDefault ? `${name} *` : name, configured ? String(models.length) : "not configured"];
  if (gate === null) return [...head, "-", "-", "-", "-", "-"];
  const { limits, lastError } = gate;
  const paused = gate.pausedMs > 0 ? ` for ${Math.ceil(gate.pausedMs / 1_000)} s` : "";
  const rates = [
    limits.requestsPerMinute === null ? "" : `${limits.requestsPerMinute} requests`,
    limits.tokensPerMinute === null ? "" : `${limits.tokensPerMinute} tokens`,
  ].filter((rate) => rate !== "");
  return [
    ...head,
    `${gate.state}${paused}`,
    `${gate.inUse}/${limits.concurrency}`,
    String(gate.waiting),
    rates.join(", ") || "-",
    lastError === null ? "-" : `${lastError.code} ${lastError.at}`,
  ];
}
