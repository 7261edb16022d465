import { Command } from "commander";
import type { KernelClient } from "../../sdk/client/client.ts";
import type { AgentEvent } from "../../sdk/client/events.ts";
import { connect } from "../connection.ts";
import { UsageError } from "../exit-code.ts";
import { Printer } from "../printer.ts";
import { oneLine } from "../table.ts";

interface LogsOptions {
  follow?: boolean;
  after: string;
}

/** `aos logs`: what an agent did, from its log; with `-f` also what it does, until it ends or Ctrl-C. */
export function logsCommand(): Command {
  return new Command("logs")
    .description("what an agent did, from its log")
    .argument("<id>")
    .option("-f, --follow", "go on with what happens, until the agent ends")
    .option("--after <seq>", "begin after this sequence number", "0")
    .action(async (id: string, options: LogsOptions, command: Command) => {
      const after = Number(options.after);
      if (!Number.isInteger(after) || after < 0) throw new UsageError("--after takes a sequence number");
      const show = options.follow ? follow : history;
      await show(connect(command), id, after, new Printer(command));
    });
}

async function history(client: KernelClient, agentId: string, after: number, printer: Printer): Promise<void> {
  for await (const entry of client.ledger.entries({ agentId })) {
    if (entry.seq > after) printer.print(entry, () => line(entry.seq, entry.at, entry.action, entry.data));
  }
}

async function follow(client: KernelClient, agentId: string, after: number, printer: Printer): Promise<void> {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  const text = new TextLine();
  for await (const event of client.events.watch(agentId, { after, signal: stop.signal })) {
    if (printer.json) printer.print(event, () => "");
    else if (!text.take(event)) printer.print(event, () => line(event.id, event.at ?? "", event.event, event.data));
  }
}

/** The reply as it comes in: deltas go on one line, and anything else begins a new one. */
class TextLine {
  #open = false;

  /** Whether `event` was text. */
  take(event: AgentEvent): boolean {
    const isText = event.event === "text-delta" || event.event === "text-snapshot";
    if (isText) process.stdout.write(String(event.data["text"]));
    else if (this.#open) process.stdout.write("\n");
    this.#open = isText;
    return isText;
  }
}

const DATA_COLUMNS = 160;

function line(seq: number | null, at: string, kind: string, data: Record<string, unknown>): string {
  const { at: _at, ...facts } = data;
  return `${String(seq ?? "").padStart(6)} ${at} ${kind} ${oneLine(JSON.stringify(facts), DATA_COLUMNS)}`;
}
