import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { FileEntry } from "../../../kernel/storage/driver.ts";
import { connect } from "../connection.ts";
import { UsageError } from "../exit-code.ts";
import { Printer } from "../printer.ts";
import { table } from "../table.ts";

/** `aos fs`: an agent's file system. */
export function fileCommands(): Command {
  const files = new Command("fs").description("an agent's file system");
  for (const command of [list(), cat(), put(), remove()]) files.addCommand(command);
  return files;
}

function list(): Command {
  return new Command("ls")
    .description("list its files")
    .argument("<id>")
    .argument("[path]", "only files below this path")
    .action(async (id: string, prefix: string | undefined, _options: object, command: Command) => {
      const items: FileEntry[] = [];
      for await (const file of connect(command).files.list(id, prefix ? { prefix } : {})) items.push(file);
      const rows = items.map((file) => [String(file.bytes), String(file.version), file.updatedAt, file.path]);
      new Printer(command).print({ items }, () => table(["BYTES", "VERSION", "UPDATED", "PATH"], rows));
    });
}

function cat(): Command {
  return new Command("cat")
    .description("print a file, byte for byte")
    .argument("<id>")
    .argument("<path>")
    .action(async (id: string, path: string, _options: object, command: Command) => {
      process.stdout.write(await connect(command).files.read(id, path));
    });
}

function put(): Command {
  return new Command("put")
    .description("write a file from this machine")
    .argument("<id>")
    .argument("<file>", "a file here, - for standard input")
    .argument("<path>", "where it goes, e.g. /workspace/a.txt")
    .action(async (id: string, file: string, path: string, _options: object, command: Command) => {
      const entry = await connect(command).files.write(id, path, readBytes(file));
      new Printer(command).print(entry, () => `${entry.path} version ${entry.version}, ${entry.bytes} bytes`);
    });
}

function remove(): Command {
  return new Command("rm")
    .description("delete a file")
    .argument("<id>")
    .argument("<path>")
    .action(async (id: string, path: string, _options: object, command: Command) => {
      await connect(command).files.remove(id, path);
    });
}

function readBytes(file: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(file === "-" ? 0 : file));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
