import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { CredentialInfo } from "../../sdk/client/credentials.ts";
import { connect } from "../connection.ts";
import { UsageError } from "../exit-code.ts";
import { Printer } from "../printer.ts";
import { table } from "../table.ts";

/** `aos credentials`: secrets for hosts outside, which agents use by name. */
export function credentialCommands(): Command {
  const credentials = new Command("credentials").description("secrets for hosts outside: list, add, remove, reseal");
  return credentials
    .addCommand(list(), { isDefault: true })
    .addCommand(add())
    .addCommand(remove())
    .addCommand(reseal());
}

function list(): Command {
  return new Command("list")
    .alias("ls")
    .description("list them, without their secrets")
    .action(async (_options: object, command: Command) => {
      const items: CredentialInfo[] = [];
      for await (const credential of connect(command).credentials.list()) items.push(credential);
      const rows = items.map(({ name, hosts, version, fingerprint, lastUsedAt }) => {
        return [name, hosts.join(" "), String(version), fingerprint, lastUsedAt ?? "never"];
      });
      new Printer(command).print({ items }, () =>
        table(["NAME", "HOSTS", "VERSION", "FINGERPRINT", "LAST USED"], rows),
      );
    });
}

/** There is no option that takes the secret: it would stand in the shell's history and in the list of processes. */
function add(): Command {
  return new Command("add")
    .description("store one, in the place of the one of its name")
    .argument("<name>")
    .requiredOption("--host <hosts...>", "host, host:port or *.host that it is sent to")
    .requiredOption("--from-stdin", "read the secret from standard input, without the last line break")
    .option("--header <name>", "the header that it is sent in; by default `Authorization: Bearer <secret>`")
    .action(async (name: string, { host, header }: { host: string[]; header?: string }, command: Command) => {
      const value = readFileSync(0, "utf8").replace(/\r?\n$/, "");
      if (value === "") throw new UsageError("standard input is empty: pipe the secret in");
      const secret = header === undefined ? { value } : { headers: { [header]: value } };
      const stored = await connect(command).credentials.store({ name, hosts: host, ...secret });
      new Printer(command).print(stored, () => `${stored.name} version ${stored.version}: ${stored.fingerprint}`);
    });
}

function remove(): Command {
  return new Command("rm")
    .description("remove one: requests that begin after it carry it no more")
    .argument("<name>")
    .action(async (name: string, _options: object, command: Command) => {
      await connect(command).credentials.remove(name);
    });
}

function reseal(): Command {
  return new Command("reseal")
    .description("seal all under the present AOS_SECRETS_KEY; then AOS_SECRETS_KEY_PREVIOUS can go")
    .action(async (_options: object, command: Command) => {
      const done = await connect(command).credentials.reseal();
      new Printer(command).print(done, () => `${done.resealed} sealed anew, ${done.lost} opened by neither key`);
    });
}
