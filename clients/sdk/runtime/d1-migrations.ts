import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { miniflareOptions, type RuntimeFacts } from "./miniflare-options.ts";
import type { WorkerBundle } from "./worker-bundle.ts";
import type { WorkerdGuard } from "./workerd-guard.ts";

/**
 * Brings the local D1 database up to date before the port opens: `mf.ready` of the real Worker resolves before any
 * migration could run. Uses wrangler's own table, so that `wrangler d1 migrations` agrees about what was applied.
 */

const BINDING = "DB";
const TABLE =
  "CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)";
const APPLIED = "SELECT name FROM d1_migrations";
const RECORD = "INSERT INTO d1_migrations (name) VALUES (?)";

/** Starts a Miniflare with nothing but D1, and only when the set of migrations changed since the last start. */
export async function migrateD1(facts: RuntimeFacts, bundle: WorkerBundle, guard: WorkerdGuard): Promise<void> {
  const marker = join(facts.stateDir, "d1-migrated");
  const digest = createHash("sha256").update(JSON.stringify(bundle.migrations)).digest("hex");
  if (bundle.migrations.length === 0 || (existsSync(marker) && readFileSync(marker, "utf8") === digest)) return;
  const miniflare = new Miniflare(miniflareOptions(facts, [databaseOnly(bundle)]));
  try {
    await apply(await miniflare.getD1Database(BINDING), bundle.migrations);
  } finally {
    await miniflare.dispose();
    await guard.reopen();
  }
  writeFileSync(marker, digest);
}

function databaseOnly(bundle: WorkerBundle) {
  return {
    name: bundle.options.name,
    modules: true as const,
    script: "export default { fetch: () => new Response() };",
    compatibilityDate: bundle.options.compatibilityDate,
    d1Databases: bundle.options.d1Databases ?? {},
  };
}

async function apply(database: D1Database, migrations: WorkerBundle["migrations"]): Promise<void> {
  await database.prepare(TABLE).run();
  const { results } = await database.prepare(APPLIED).all<{ name: string }>();
  const applied = new Set(results.map((row) => row.name));
  for (const { name, sql } of migrations) {
    if (applied.has(name)) continue;
    // One batch is one transaction, and takes a whole file with several statements and triggers.
    await database.batch([database.prepare(sql), database.prepare(RECORD).bind(name)]);
  }
}
