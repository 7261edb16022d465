import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where the runtime of a state folder listens, left there for the CLI while it runs: the port may be any free one. */

function urlFile(stateDir: string): string {
  return join(stateDir, "url");
}

export function writeRuntimeUrl(stateDir: string, url: string): void {
  writeFileSync(urlFile(stateDir), url);
}

export function removeRuntimeUrl(stateDir: string): void {
  rmSync(urlFile(stateDir), { force: true });
}

/** Undefined when no runtime runs there. After a kill it may name one that is gone. */
export function readRuntimeUrl(stateDir: string): string | undefined {
  try {
    return readFileSync(urlFile(stateDir), "utf8");
  } catch {
    return undefined;
  }
}
