import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { SentMessage } from "../../sdk/client/messages.ts";
import { connect } from "../connection.ts";
import { EXIT, UsageError } from "../exit-code.ts";
import { Printer } from "../printer.ts";

/** `aos send`: prints the reply; exits 4 when the agent could not answer, 1 when it did not in time. */
export function sendCommand(): Command {
  return new Command("send")
    .description("send a message to an agent and print its reply")
    .argument("<id>")
    .argument("<message>", "the text, - for standard input")
    .option("--wait <seconds>", "how long to wait for the reply, at most 300; 0 = do not wait", "60")
    .action(async (id: string, message: string, options: { wait: string }, command: Command) => {
      const waitSeconds = Number(options.wait);
      if (!(waitSeconds >= 0)) throw new UsageError("--wait takes seconds");
      const content = message === "-" ? readFileSync(0, "utf8") : message;
      const sent = await connect(command).messages.send(id, content, { waitSeconds });
      new Printer(command).print(sent, () => outcomeOf(sent));
      process.exitCode = waitSeconds === 0 ? EXIT.done : exitOf(sent);
    });
}

function outcomeOf(sent: SentMessage): string {
  if (sent.reply !== undefined) return sent.reply;
  if (sent.error) return `${sent.state}: ${sent.error.message}`;
  return sent.messageId;
}

function exitOf(sent: SentMessage): number {
  if (sent.reply !== undefined) return EXIT.done;
  return sent.state === undefined ? EXIT.failed : EXIT.processFailed;
}
