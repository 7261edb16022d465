import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { buildOrExit } from "./build-or-exit.ts";

/** Runs the built `aos` in this process, once it is built from the sources as they are now. */
export async function aos(line: readonly string[]): Promise<void> {
  await buildOrExit();
  process.argv.splice(2, Infinity, ...line);
  await import(pathToFileURL(resolve(import.meta.dirname, "../../dist/cli/aos.js")).href);
}
