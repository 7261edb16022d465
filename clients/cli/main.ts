import { Command, CommanderError } from "commander";
import { AosError } from "../sdk/client/aos-error.ts";
import { approveCommand } from "./commands/approve.ts";
import { auditCommand } from "./commands/audit.ts";
import { batchCommands } from "./commands/batch.ts";
import { costCommand } from "./commands/cost.ts";
import { credentialCommands } from "./commands/credentials.ts";
import { deadLetterCommands } from "./commands/dead-letters.ts";
import { demoCommand } from "./commands/demo.ts";
import { eraseCommand } from "./commands/erase.ts";
import { fileCommands } from "./commands/files.ts";
import { keyCommands } from "./commands/keys.ts";
import { killCommand, signalArguments } from "./commands/kill.ts";
import { logsCommand } from "./commands/logs.ts";
import { memoryCommands } from "./commands/memory.ts";
import { messageCommands } from "./commands/messages.ts";
import { niceCommand } from "./commands/nice.ts";
import { processCommands } from "./commands/processes.ts";
import { provenanceCommand } from "./commands/provenance.ts";
import { providersCommand } from "./commands/providers.ts";
import { quotaCommands } from "./commands/quota.ts";
import { ruleCommands } from "./commands/rules.ts";
import { sendCommand } from "./commands/send.ts";
import { spawnCommand } from "./commands/spawn.ts";
import { straceCommand } from "./commands/strace.ts";
import { tenantCommands } from "./commands/tenants.ts";
import { toolsCommand } from "./commands/tools.ts";
import { upCommand } from "./commands/up.ts";
import { exitCodeOf } from "./exit-code.ts";

/** The command `aos`: parses the line, runs one command, and leaves the exit code in `process.exitCode`. */
export async function main(line: readonly string[]): Promise<void> {
  try {
    await aos().parseAsync(signalArguments(line), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) process.stderr.write(`aos: ${explain(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

function aos(): Command {
  const program = new Command("aos")
    .description("AOS-Kernel: an operating-system kernel for AI agents")
    .option("--url <url>", "the kernel's address (AOS_URL; by default the local kernel)")
    .option("--key <key>", "a key of the kernel (AOS_KEY; by default the local kernel's key file)")
    .option("--json", "print what the API said")
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failed, 2 usage, 3 not reachable or not allowed, 4 the process failed",
    )
    .exitOverride();
  const commands = [
    upCommand(),
    demoCommand(),
    spawnCommand(),
    ...processCommands(),
    sendCommand(),
    messageCommands(),
    logsCommand(),
    straceCommand(),
    killCommand(),
    niceCommand(),
    eraseCommand(),
    memoryCommands(),
    fileCommands(),
    auditCommand(),
    costCommand(),
    approveCommand(),
    ruleCommands(),
    provenanceCommand(),
    providersCommand(),
    deadLetterCommands(),
    batchCommands(),
    quotaCommands(),
    toolsCommand(),
    keyCommands(),
    tenantCommands(),
    credentialCommands(),
  ];
  for (const command of commands) program.addCommand(inheriting(program, command));
  return program;
}

/** Commands made apart from their program do not throw on errors unless told. */
function inheriting(parent: Command, command: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inheriting(command, child);
  return command;
}

function explain(error: unknown): string {
  if (!(error instanceof AosError)) return error instanceof Error ? error.message : String(error);
  if (error.status >= 500 && error.requestId) return `${error.message} (request ${error.requestId})`;
  const hint = HINTS[error.code];
  return hint ? `${error.detail.replace(/\.$/, "")}; ${hint}` : error.message;
}

const HINTS: Partial<Record<string, string>> = {
  unreachable: "start a kernel with `npm start` or `aos up`, or name one with --url",
  unauthorized: "pass a valid key with --key or AOS_KEY",
};
