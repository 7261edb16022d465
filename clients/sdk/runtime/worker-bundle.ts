import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "./package-root.ts";
import { RuntimeError } from "./runtime-error.ts";

/** The built Worker in `dist/`: its modules, its baked options and the D1 migrations that belong to it. */

/** The part of wrangler.toml, in Miniflare's words, that the runtime itself reads; the rest passes through. */
export interface WorkerOptions {
  name: string;
  compatibilityDate: string;
  bindings?: Record<string, string>;
  cronTriggers?: string[];
  d1Databases?: Record<string, string>;
  assets?: { directory: string; [option: string]: unknown };
  [option: string]: unknown;
}

export interface WorkerModule {
  type: "ESModule" | "CompiledWasm" | "Text";
  path: string;
}

export interface WorkerBundle {
  options: WorkerOptions;
  modulesRoot: string;
  /** The entry point first. */
  modules: WorkerModule[];
  /** In the order of their names. */
  migrations: { name: string; sql: string }[];
}

const ENTRY = "index.js";
const TYPES = [
  [".js", "ESModule"],
  [".wasm", "CompiledWasm"],
  [".sql", "Text"],
] as const;

/** Throws `not_built` when `dist/` lacks the Worker. */
export function readWorkerBundle(): WorkerBundle {
  const root = packageRoot();
  const modulesRoot = join(root, "dist/worker");
  if (!existsSync(join(modulesRoot, ENTRY))) {
    throw new RuntimeError("not_built", `${modulesRoot} is absent; run "npm run build" first`);
  }
  const options = JSON.parse(readFileSync(join(root, "dist/worker-options.json"), "utf8")) as WorkerOptions;
  if (options.assets) options.assets.directory = join(root, options.assets.directory);
  return { options, modulesRoot, modules: readModules(modulesRoot), migrations: readMigrations(root) };
}

function readModules(modulesRoot: string): WorkerModule[] {
  return readdirSync(modulesRoot)
    .sort((a, b) => Number(b === ENTRY) - Number(a === ENTRY))
    .flatMap((file) => {
      const type = TYPES.find(([extension]) => file.endsWith(extension))?.[1];
      return type ? [{ type, path: join(modulesRoot, file) }] : [];
    });
}

function readMigrations(root: string): { name: string; sql: string }[] {
  const folder = join(root, "migrations/d1");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .sort()
    .map((name) => ({ name, sql: readFileSync(join(folder, name), "utf8") }));
}
