/// <reference types="@cloudflare/vitest-plugin/types" />
/// <reference types="vite/types/importMeta.d.ts" />
import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";

/** Lays D1's tables before the stories of a file begin, as deploying does. */

const FILES = import.meta.glob<string>("../../migrations/d1/*.sql", { query: "?raw", import: "default", eager: true });

const migrations = Object.entries(FILES)
  .sort(([a], [b]) => a.localeCompare(b))
  .map(([name, sql]) => ({ name, queries: sql.split("--> statement-breakpoint") }));

await applyD1Migrations((env as unknown as { DB: D1Database }).DB, migrations);
