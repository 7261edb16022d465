import { hash as sha } from "node:crypto";
import { createReadStream, createWriteStream, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";
import { Command } from "commander";
import { LIMITS } from "../../../kernel/limits.ts";
import { type AuditKey, loadAuditKey } from "../../../kernel/log/audit-key.ts";
import { verifyExport } from "../../../kernel/log/exported-trail.ts";
import type { TrailReport } from "../../../kernel/log/verification.ts";
import { connect } from "../connection.ts";
import { EXIT, UsageError } from "../exit-code.ts";
import { Printer } from "../printer.ts";

/** `aos audit`: the audit trail, and whether anybody has touched it. */
export function auditCommand(): Command {
  const audit = new Command("audit").description("the audit trail");
  for (const command of [verify(), exportFile(), checkpoint(), key()]) audit.addCommand(command);
  return audit;
}

interface VerifyOptions {
  agent?: string;
  all?: true;
  file?: string;
  auditKey?: string;
}

/** Exits 1 when something was changed. */
function verify(): Command {
  return new Command("verify")
    .description("verify the chain of the tenant, of one agent, of all, or of an exported file")
    .option("--agent <id>", "the chain of this agent")
    .option("--all", "the chain of the tenant and those of all its agents")
    .option("--file <path>", "an export, verified here and without the kernel; - for standard input")
    .option("--audit-key <path>", "with --file: the public key, or the passphrase; else AOS_AUDIT_KEY")
    .action(async (options: VerifyOptions, command: Command) => {
      if ([options.agent, options.all, options.file].filter((one) => one !== undefined).length > 1)
        throw new UsageError("name one of --agent, --all and --file");
      const printer = new Printer(command);
      let isWhole = true;
      for await (const { name, ...report } of reports(options, command)) {
        printer.print(options.all ? { object: name, ...report } : report, () =>
          said(report, options.all ? name : null),
        );
        isWhole &&= report.ok;
      }
      process.exitCode = isWhole ? EXIT.done : EXIT.failed;
    });
}

async function* reports(options: VerifyOptions, command: Command): AsyncGenerator<TrailReport & { name: string }> {
  if (options.file !== undefined)
    return yield { name: options.file, ...(await ofFile(options.file, options.auditKey)) };
  const { ledger, agents } = connect(command);
  const { agent } = options;
  yield { name: agent ?? "core", ...(await ledger.verify(agent === undefined ? {} : { agentId: agent })) };
  if (options.all === undefined) return;
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const page = await agents.list({ limit: LIMITS.pageListMax, cursor });
    for (const { id } of page.items) yield { name: id, ...(await ledger.verify({ agentId: id })) };
    cursor = page.nextCursor ?? undefined;
  }
}

async function ofFile(path: string, keyPath: string | undefined): Promise<TrailReport> {
  const key = await keyOf(keyPath);
  const hash = { sha256: (data: string | Uint8Array) => sha("sha256", data) };
  const input = path === "-" ? process.stdin : createReadStream(path);
  // Lines are lost that come before somebody reads: nothing is waited for in between.
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  const report = await verifyExport(lines, { hash, key }).catch((error: Error) => {
    throw new UsageError(error.message);
  });
  if (!report.ok) throw new UsageError(report.error.message);
  return report.value;
}

async function keyOf(path: string | undefined): Promise<AuditKey | null> {
  const text = path === undefined ? process.env["AOS_AUDIT_KEY"] : textOf(path);
  if (text === undefined || text.trim() === "") return null;
  const loaded = await loadAuditKey(text);
  if (!loaded.ok) throw new UsageError(`${path ?? "AOS_AUDIT_KEY"} takes ${loaded.error.message}`);
  return loaded.value;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function said(report: TrailReport, name: string | null): string {
  const { count, verified, foreign, seq, at, keyId } = report.checkpoints;
  const unknown = foreign === 0 ? "" : `, ${foreign} signed by a key that is not at hand (--audit-key)`;
  const signed = keyId === null ? "not signed" : `signed by ${keyId}, ${verified} of ${count} verified${unknown}`;
  const covered = count === 0 ? "no checkpoint yet" : `checkpoint of entry ${seq} at ${at}, ${signed}`;
  const prefix = name === null ? "" : `${name}: `;
  if (report.ok) return `${prefix}ok, ${report.entries} entries, head ${report.head}; ${covered}`;
  const lines = report.findings.map(({ where, brokenAt, reason }) => `  ${where}: entry ${brokenAt}: ${reason}`);
  return [`${prefix}broken at entry ${report.brokenAt}; ${covered}`, ...lines].join("\n");
}

function exportFile(): Command {
  return new Command("export")
    .description("write the trail of the tenant, or of one agent, as JSON Lines")
    .option("--agent <id>", "the chain of this agent")
    .option("--out <path>", "a file; standard output when absent")
    .action(async ({ agent, out }: { agent?: string; out?: string }, command: Command) => {
      const stream = await connect(command).ledger.export(agent === undefined ? {} : { agentId: agent });
      if (out === undefined) await pipeline(chunks(stream), process.stdout, { end: false });
      else await pipeline(chunks(stream), createWriteStream(out));
    });
}

async function* chunks(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}

function checkpoint(): Command {
  return new Command("checkpoint")
    .description("export and sign now what has changed")
    .action(async (_options: object, command: Command) => {
      const { ledger } = connect(command);
      await ledger.checkpoint();
      const report = await ledger.verify();
      new Printer(command).print(report, () => said(report, null));
    });
}

function key(): Command {
  return new Command("key")
    .description("the public key that checkpoints are verified with")
    .action(async (_options: object, command: Command) => {
      const { keyId, publicKey } = await connect(command).ledger.auditKey();
      const printer = new Printer(command);
      if (publicKey === null)
        printer.note(keyId === null ? "checkpoints are not signed: AOS_AUDIT_KEY is not set" : keyId);
      printer.print({ keyId, publicKey }, () => publicKey?.trimEnd() ?? "");
    });
}
