import { Command } from "commander";
import { SIGNALS, type Signal } from "../../../kernel/process/message.ts";
import { connect } from "../connection.ts";
import { UsageError } from "../exit-code.ts";
import { Printer } from "../printer.ts";

/** `aos kill [-SIGNAL] <id>...`, as in a shell: TERM when no signal is named. */
export function killCommand(): Command {
  return new Command("kill")
    .description(`signal agents: ${SIGNALS.join(", ")}`)
    .usage("[-SIGNAL] <id>...")
    .argument("<id...>")
    .option("-s, --signal <signal>", "the signal", "TERM")
    .action(async (ids: string[], options: { signal: string }, command: Command) => {
      const signal = signalOf(options.signal);
      const client = connect(command);
      const printer = new Printer(command);
      for (const id of ids) {
        const said = await client.agents.signal(id, signal);
        printer.print(said, () => "");
      }
    });
}

/** `-KILL` would read as six short options: it becomes `--signal KILL` before the line is parsed. */
export function signalArguments(line: readonly string[]): string[] {
  if (!line.includes("kill")) return [...line];
  return line.flatMap((word) => {
    const name = /^-((?:SIG)?[A-Z]{3,5})$/.exec(word)?.[1];
    return name ? ["--signal", name] : [word];
  });
}

function signalOf(name: string): Signal {
  const signal = SIGNALS.find((known) => known === name.toUpperCase().replace(/^SIG/, ""));
  if (!signal) throw new UsageError(`there is no signal ${name}; there are ${SIGNALS.join(", ")}`);
  return signal;
}
