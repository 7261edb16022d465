import { Command } from "commander";
import { connect } from "../connection.ts";
import { EXIT } from "../exit-code.ts";
import { Printer } from "../printer.ts";

/** `aos audit verify`: exits 1 when the chain is broken. */
export function auditCommand(): Command {
  const verify = new Command("verify")
    .description("walk the hash chain, of the whole tenant or of one agent")
    .option("--agent <id>", "the chain of this agent")
    .action(async (options: { agent?: string }, command: Command) => {
      const report = await connect(command).ledger.verify(options.agent ? { agentId: options.agent } : {});
      new Printer(command).print(report, () =>
        report.ok
          ? `ok, ${report.entries} entries, head ${report.head}`
          : `broken at entry ${report.brokenAt}, ${report.entries} entries before it fit`,
      );
      process.exitCode = report.ok ? EXIT.done : EXIT.failed;
    });
  return new Command("audit").description("the audit trail").addCommand(verify);
}
