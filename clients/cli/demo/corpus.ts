import { globSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { packageRoot } from "../../sdk/runtime/package-root.ts";
import { UsageError } from "../exit-code.ts";
import { readText } from "../text-file.ts";

/** What the demo's agent is to remember: documents with the path that citations show. */

export interface Document {
  source: string;
  text: string;
}

const DOCUMENTATION = ["**/README*", "**/readme*", "**/CHANGELOG*", "**/changelog*", "**/*.d.ts"];

/** Every README, CHANGELOG and `.d.ts` of the installed packages, in the order of their paths. */
export function packageDocuments(): Document[] {
  const root = packageRoot();
  const found = new Set(
    globSync(DOCUMENTATION, { cwd: join(root, "node_modules"), withFileTypes: true }).flatMap(pathOf),
  );
  return [...found].sort().flatMap((path) => {
    const text = readFileSync(path, "utf8");
    return text.trim() === "" ? [] : [{ source: relative(root, path).split(sep).join("/"), text }];
  });
}

/** The user's own files. Throws a `UsageError` naming the first that is absent, empty or not text. */
export function userDocuments(paths: readonly string[]): Document[] {
  const repeated = paths.find((path, index) => paths.indexOf(path) !== index);
  if (repeated) throw new UsageError(`${repeated} is named twice`);
  return paths.map((path) => ({ source: path, text: readText(path) }));
}

function pathOf(entry: { isFile(): boolean; parentPath: string; name: string }): string[] {
  return entry.isFile() ? [join(entry.parentPath, entry.name)] : [];
}
