import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * One hash over everything that a build reads, so that `npm start` and `npm run demo` can always call the build first:
 * when nothing changed it costs a few milliseconds.
 */

const INPUTS = [
  "{kernel,durable-objects,workers,clients,migrations,scripts/build}/**/*",
  "{package.json,package-lock.json,wrangler.toml,tsconfig.json}",
];

/** Hex SHA-256 of the names and contents of all files below `root` that match `patterns`. */
export function inputStamp(root: string, patterns: readonly string[] = INPUTS): string {
  const hash = createHash("sha256");
  for (const entry of globSync(patterns, { cwd: root, withFileTypes: true }).sort(byPath)) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    hash
      .update(`${path.slice(root.length)}\0`)
      .update(readFileSync(path))
      .update("\0");
  }
  return hash.digest("hex");
}

function byPath(a: { parentPath: string; name: string }, b: { parentPath: string; name: string }): number {
  return join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1;
}

/** What `inputStamp` said when `file` was written; empty when there is none. */
export function writtenStamp(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}
