import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Bakes wrangler.toml to the options that Miniflare takes, as JSON. Importing wrangler costs half a second, so it
 * happens at build time and only when wrangler.toml or wrangler itself changed.
 */

/** The part of wrangler's configuration that is read here: its own types come from a package that it does not install. */
interface Configuration {
  name: string;
  vars: Record<string, unknown>;
  d1_databases: { binding: string; database_name: string }[];
  assets?: { directory: string };
}

const CACHE = "node_modules/.cache/agent-os-kernel";

/** Writes the options of `root`/wrangler.toml to `target`. Paths in them are relative to `root`. */
export async function bakeWorkerOptions(root: string, target: string): Promise<void> {
  const cached = join(root, CACHE, `worker-options-${bakeKey(root)}.json`);
  if (!existsSync(cached)) {
    mkdirSync(dirname(cached), { recursive: true });
    writeFileSync(cached, await bake(root));
  }
  writeFileSync(target, readFileSync(cached));
}

function bakeKey(root: string): string {
  const inputs = ["wrangler.toml", "node_modules/wrangler/package.json", "scripts/build/worker-options.ts"];
  const hash = createHash("sha256");
  for (const input of inputs) hash.update(readFileSync(join(root, input)));
  return hash.digest("hex").slice(0, 16);
}

async function bake(root: string): Promise<string> {
  const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = await import("wrangler");
  const config = unstable_readConfig({ config: join(root, "wrangler.toml") });
  const { workerOptions } = unstable_getMiniflareWorkerOptions(config);
  const { rootPath: _root, modulesRules: _rules, assets, ...options } = workerOptions;
  const { name, vars, d1_databases, assets: files } = config as Configuration;
  const baked = {
    ...options,
    name,
    // Not what wrangler merges from .dev.vars: the secrets of whoever builds must not end up in dist/.
    bindings: vars,
    // Local databases are kept by name: the id in wrangler.toml changes when the operator makes a real one.
    d1Databases: Object.fromEntries(d1_databases.map((database) => [database.binding, database.database_name])),
    assets: files && { ...(assets as object), directory: files.directory },
  };
  return `${JSON.stringify(baked, withoutEmpty, 2)}\n`;
}

function withoutEmpty(_key: string, value: unknown): unknown {
  const empty = value !== null && typeof value === "object" && Object.keys(value).length === 0;
  return empty ? undefined : value;
}
