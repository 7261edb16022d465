import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Plugin } from "esbuild";
import { bundleWorker } from "../../../scripts/build/bundles.ts";

/**
 * A package of its own, beside the real one, whose Worker has the naive module. The mutation is the bundler's, for this
 * folder only: no switch in the code and nothing in `dist/` knows of it.
 */

const ROOT = resolve(import.meta.dirname, "../../..");
const REPLACED = /kernel\/process\/pending\.ts$/;
const NAIVE = join(import.meta.dirname, "pending.ts");

const replaced: Plugin = {
  name: "naive-pending",
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/pending\.ts$/ }, ({ path, resolveDir, importer }) =>
      importer !== NAIVE && REPLACED.test(resolve(resolveDir, path)) ? { path: NAIVE } : null,
    );
  },
};

/** Builds it; answers its folder and how to be rid of it. */
export async function naivePackage(): Promise<{ folder: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), "aos-naive-"));
  for (const part of ["package.json", "dist", "migrations", "clients/admin"]) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const worker = join(folder, "dist/worker");
  rmSync(worker, { recursive: true });
  mkdirSync(worker);
  await bundleWorker(ROOT, worker, { plugins: [replaced] });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
