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
  for (const command of [list(), cat(), put(), remove(), versions(), rollback()]) files.addCommand(command);
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
    .option("--version <number>", "an earlier version", versionNumber)
    .action(async (id: string, path: string, options: { version?: number }, command: Command) => {
      process.stdout.write(await connect(command).files.read(id, path, options));
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

function versions(): Command {
  return new Command("versions")
    .description("list earlier versions of a file, also of one that was deleted")
    .argument("<id>")
    .argument("<path>")
    .action(async (id: string, path: string, _options: object, command: Command) => {
      const items = await connect(command).files.versions(id, path);
      const rows = items.map((file) => [String(file.version), String(file.bytes), file.updatedAt, file.replacedAt]);
      new Printer(command).print({ items }, () => table(["VERSION", "BYTES", "WRITTEN", "REPLACED"], rows));
    });
}

function rollback(): Command {
  return new Command("rollback")
    .description("write an earlier version of a file again, as a new one")
    .argument("<id>")
    .argument("<path>")
    .argument("<version>", "one that `aos fs versions` lists", versionNumber)
    .action(async (id: string, path: string, version: number, _options: object, command: Command) => {
      const entry = await connect(command).files.rollback(id, path, version);
      new Printer(command).print(entry, () => `${entry.path} version ${entry.version}, ${entry.bytes} bytes`);
    });
}

function versionNumber(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new UsageError("a version is a number from 1 up");
  return Number(text);
}

function readBytes(file: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(file === "-" ? 0 : file));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
