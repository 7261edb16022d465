import { Command } from "commander";
import type { Tenant } from "../../sdk/client/tenants.ts";
import { connect } from "../connection.ts";
import { Printer } from "../printer.ts";
import { table } from "../table.ts";

/** `aos tenants`: whose agents and keys they are. Takes the bootstrap key. */
export function tenantCommands(): Command {
  const tenants = new Command("tenants").description("tenants of this kernel: list, create, remove");
  return tenants.addCommand(list(), { isDefault: true }).addCommand(create()).addCommand(remove());
}

function list(): Command {
  return new Command("ls").description("list them").action(async (_options: object, command: Command) => {
    const items: Tenant[] = [];
    for await (const tenant of connect(command).tenants.list()) items.push(tenant);
    const rows = items.map(({ id, name, createdAt }) => [id, name, createdAt]);
    new Printer(command).print({ items }, () => table(["TENANT", "NAME", "CREATED"], rows));
  });
}

function create(): Command {
  return new Command("create")
    .description("make one and print its id")
    .argument("<name>")
    .action(async (name: string, _options: object, command: Command) => {
      const tenant = await connect(command).tenants.create(name);
      new Printer(command).print(tenant, () => tenant.id);
    });
}

function remove(): Command {
  return new Command("rm")
    .description("remove one that has neither agents nor live keys")
    .argument("<id>")
    .action(async (id: string, _options: object, command: Command) => {
      await connect(command).tenants.remove(id);
    });
}
