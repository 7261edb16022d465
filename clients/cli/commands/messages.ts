import { Command } from "commander";
import type { MessageView } from "../../../kernel/process/message.ts";
import { connect } from "../connection.ts";
import { Printer } from "../printer.ts";
import { oneLine, table } from "../table.ts";

const TEXT_COLUMNS = 50;

/** `aos messages`: an agent's mailbox. */
export function messageCommands(): Command {
  const messages = new Command("messages").description("an agent's mailbox: list, show, cancel");
  return messages.addCommand(list(), { isDefault: true }).addCommand(show()).addCommand(cancel());
}

function list(): Command {
  return new Command("ls")
    .description("list its messages, ended ones included")
    .argument("<id>")
    .option("--limit <n>", "at most this many", "200")
    .option("--cursor <cursor>", "go on where a list ended")
    .action(async (id: string, { limit, cursor }: { limit: string; cursor?: string }, command: Command) => {
      const listing = await connect(command).messages.list(id, { limit: Number(limit), cursor });
      const printer = new Printer(command);
      printer.print(listing, () => messageTable(listing.items));
      if (listing.nextCursor) printer.note(`more: --cursor ${listing.nextCursor}`);
    });
}

function messageTable(messages: readonly MessageView[]): string {
  const rows = messages.map((message) => [
    message.id,
    message.state,
    message.createdAt,
    message.from,
    oneLine(message.content, TEXT_COLUMNS),
    oneLine(outcomeOf(message), TEXT_COLUMNS),
  ]);
  return table(["MESSAGE", "STATE", "SINCE", "FROM", "TEXT", "REPLY"], rows);
}

function outcomeOf({ reply, error }: MessageView): string {
  return reply ?? error?.message ?? "";
}

function show(): Command {
  return new Command("show")
    .description("print a message's reply, or how it stands")
    .argument("<id>")
    .argument("<message>", "msg_...")
    .action(async (id: string, messageId: string, _options: object, command: Command) => {
      const message = await connect(command).messages.get(id, messageId);
      new Printer(command).print(message, () => outcomeOf(message) || message.state);
    });
}

function cancel(): Command {
  return new Command("cancel")
    .description("cancel messages that are queued or running")
    .argument("<id>")
    .argument("<message...>", "msg_...")
    .action(async (id: string, messageIds: string[], _options: object, command: Command) => {
      const client = connect(command);
      for (const messageId of messageIds) {
        const message = await client.messages.cancel(id, messageId);
        new Printer(command).print(message, () => `${message.id} ${message.state}`);
      }
    });
}
