import { Command } from "commander";
import { connect } from "../connection.ts";
import { Printer } from "../printer.ts";
import { oneLine, table } from "../table.ts";

const REASON_COLUMNS = 80;

/** `aos dead-letters`: model calls of the batch lane that the queue gave up. */
export function deadLetterCommands(): Command {
  const letters = new Command("dead-letters").description(
    "calls of the batch lane that the queue gave up: list, retry",
  );
  return letters.addCommand(list(), { isDefault: true }).addCommand(retry());
}

function list(): Command {
  return new Command("ls")
    .description("list them")
    .option("--limit <n>", "at most this many", "200")
    .option("--cursor <cursor>", "go on where a list ended")
    .action(async ({ limit, cursor }: { limit: string; cursor?: string }, command: Command) => {
      const listing = await connect(command).deadLetters.list({ limit: Number(limit), cursor });
      const printer = new Printer(command);
      const rows = listing.items.map((letter) => [
        letter.callId,
        letter.agentId,
        letter.at,
        String(letter.attempts),
        oneLine(letter.reason, REASON_COLUMNS),
      ]);
      printer.print(listing, () => table(["CALL", "AGENT", "SINCE", "SENT", "REASON"], rows));
      if (listing.nextCursor) printer.note(`more: --cursor ${listing.nextCursor}`);
    });
}

function retry(): Command {
  return new Command("retry")
    .description("send calls once more")
    .argument("<call...>", "call_...")
    .action(async (callIds: string[], _options: object, command: Command) => {
      const client = connect(command);
      for (const callId of callIds) {
        const letter = await client.deadLetters.retry(callId);
        new Printer(command).print(letter, () => `${letter.callId} is in the queue again`);
      }
    });
}
