import { cpSync, mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { bundleWorker } from "../../../scripts/build/bundles.ts";

/** A copy of the built package whose Worker is the doubling one. It stands below node_modules, where packages are found. */

const ROOT = resolve(import.meta.dirname, "../../..");
const CACHE = join(ROOT, "node_modules/.cache");

/** Answers the folder, for the caller to remove. `dist/cli/aos.js` in it starts the runtime. */
export async function buildDoublingPackage(): Promise<string> {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "doubling-"));
  for (const part of ["package.json", "migrations", "clients"]) symlinkSync(join(ROOT, part), join(folder, part));
  cpSync(join(ROOT, "dist"), join(folder, "dist"), {
    recursive: true,
    filter: (source) => !source.startsWith(join(ROOT, "dist/worker/")),
  });
  await bundleWorker(ROOT, join(folder, "dist/worker"), { entry: "test/support/doubling-worker/worker.ts" });
  return folder;
}
