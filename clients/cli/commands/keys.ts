import { Command, Option } from "commander";
import type { KeyInfo, KeyRole } from "../../sdk/client/keys.ts";
import { connect } from "../connection.ts";
import { Printer } from "../printer.ts";
import { table } from "../table.ts";

/** `aos keys`: who may use the kernel. */
export function keyCommands(): Command {
  const keys = new Command("keys").description("keys of this kernel: list, create, revoke");
  return keys.addCommand(list(), { isDefault: true }).addCommand(create()).addCommand(revoke());
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
  ]);
  return table(["KEY", "TENANT", "ROLE", "NAME", "STATE", "LAST USED", "PER MINUTE"], rows);
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
    .action(async (options: CreateOptions, command: Command) => {
      const { role, tenant, name, expires, perMinute } = options;
      const issued = await connect(command).keys.create({
        role,
        ...(tenant !== undefined && { tenantId: tenant }),
        ...(name !== undefined && { name }),
        ...(expires !== undefined && { expiresAt: expires }),
        ...(perMinute !== undefined && { requestsPerMinute: Number(perMinute) }),
      });
      const printer = new Printer(command);
      printer.print(issued, () => issued.key);
      printer.note(`${issued.id}: ${role} of ${issued.tenantId}; keep the key, it is not shown again`);
    });
}

function revoke(): Command {
  return new Command("revoke")
    .description("make it open nothing any more; takes five seconds")
    .argument("<id>", "a key's id, key_...")
    .action(async (id: string, _options: object, command: Command) => {
      await connect(command).keys.revoke(id);
    });
}
