import { Command, Option } from "commander";
import type { IssuedKey, KeyInfo, KeyRole } from "../../sdk/client/keys.ts";
import { connect } from "../connection.ts";
import { Printer } from "../printer.ts";
import { table } from "../table.ts";

/** `aos keys`: who may use the kernel. */
export function keyCommands(): Command {
  const keys = new Command("keys").description("keys of this kernel: list, create, rotate, revoke");
  return keys.addCommand(list(), { isDefault: true }).addCommand(create()).addCommand(rotate()).addCommand(revoke());
}

function list(): Command {
  return new Command("ls")
    .description("list them, revoked ones included")
    .option("--tenant <id>", "only keys of this tenant")
    .action(async (options: { tenant?: string }, command: Command) => {
      const items: KeyInfo[] = [];
      const filter = options.tenant ? { tenantId: options.tenant } : {};
      for await (const key of connect(command).keys.list(filter)) items.push(key);
      new Printer(command).print({ items }, () => keyTable(items));
    });
}

function keyTable(keys: readonly KeyInfo[]): string {
  const rows = keys.map((key) => [
    key.id,
    key.tenantId,
    key.role,
    key.name,
    stateOf(key),
    key.lastUsedAt ?? "never",
    key.requestsPerMinute === null ? "" : String(key.requestsPerMinute),
    key.scopes === null ? "all" : key.scopes.join(" "),
  ]);
  return table(["KEY", "TENANT", "ROLE", "NAME", "STATE", "LAST USED", "PER MINUTE", "SCOPES"], rows);
}

function stateOf({ revokedAt, expiresAt }: KeyInfo): string {
  if (revokedAt !== null) return `revoked ${revokedAt}`;
  if (expiresAt === null) return "live";
  return Date.parse(expiresAt) <= Date.now() ? `expired ${expiresAt}` : `live until ${expiresAt}`;
}

interface CreateOptions {
  role: KeyRole;
  tenant?: string;
  name?: string;
  expires?: string;
  perMinute?: string;
  scope?: string[];
}

function create(): Command {
  return new Command("create")
    .description("make one and print it: it is shown this once")
    .addOption(
      new Option("--role <role>", "what it may do").choices(["viewer", "operator", "admin"]).makeOptionMandatory(),
    )
    .option("--tenant <id>", "whose key it is; by default that of the key in use")
    .option("--name <name>", "what people call it")
    .option("--expires <time>", "RFC 3339; by default never")
    .option("--per-minute <requests>", "more requests a minute are refused")
    .option("--scope <scopes...>", "what of its role it may use, e.g. agents:read llm; by default everything")
    .action(async (options: CreateOptions, command: Command) => {
      const { role, tenant, name, expires, perMinute, scope } = options;
      const issued = await connect(command).keys.create({
        role,
        ...(tenant !== undefined && { tenantId: tenant }),
        ...(name !== undefined && { name }),
        ...(expires !== undefined && { expiresAt: expires }),
        ...(perMinute !== undefined && { requestsPerMinute: Number(perMinute) }),
        ...(scope !== undefined && { scopes: scope }),
      });
      show(command, issued);
    });
}

function rotate(): Command {
  return new Command("rotate")
    .description("make a key in the place of another and print it")
    .argument("<id>", "the old key's id, key_...")
    .option("--overlap <seconds>", "how long the old one works on; with 0 it takes five seconds", "0")
    .action(async (id: string, { overlap }: { overlap: string }, command: Command) => {
      show(command, await connect(command).keys.rotate(id, { overlapSeconds: Number(overlap) }));
    });
}

function show(command: Command, issued: IssuedKey): void {
  const printer = new Printer(command);
  printer.print(issued, () => issued.key);
  printer.note(`${issued.id}: ${issued.role} of ${issued.tenantId}; keep the key, it is not shown again`);
}

function revoke(): Command {
  return new Command("revoke")
    .description("make it open nothing any more; takes five seconds")
    .argument("<id>", "a key's id, key_...")
    .action(async (id: string, _options: object, command: Command) => {
      await connect(command).keys.revoke(id);
    });
}
