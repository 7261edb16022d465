import { readFileSync, statSync } from "node:fs";
import { UsageError } from "./exit-code.ts";

/** The text of a file in UTF-8. Throws a `UsageError` that says what is wrong with it. */
export function readText(file: string): string {
  const bytes = readFile(file);
  if (bytes.length === 0) throw new UsageError(`${file} is empty`);
  const text = decode(bytes);
  if (text === undefined || text.includes("\0")) throw new UsageError(`${file} is not text in UTF-8`);
  if (text.trim() === "") throw new UsageError(`${file} holds nothing but white space`);
  return text;
}

function readFile(file: string): Uint8Array {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) throw new UsageError(`there is no file ${file}`);
  if (stat.isDirectory()) throw new UsageError(`${file} is a folder; name files`);
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return undefined;
  }
}
