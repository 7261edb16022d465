/// <reference types="@cloudflare/vitest-plugin/types" />
/// <reference types="vite/types/importMeta.d.ts" />
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Sql } from "../../kernel/ports.ts";
import { objectSql } from "./ports.ts";

/** Runs a story on the real SQLite of a new object that holds a schema, laid by its migrations, and no rows. */

const MIGRATIONS = import.meta.glob<string>(
  "../../migrations/{agent,core,provider-gate,batch-job,economy-pool,shared-files}/*.sql",
  {
    query: "?raw",
    import: "default",
    eager: true,
  },
);

export async function onNewObject<T>(
  schema: "agent" | "core" | "provider-gate" | "batch-job" | "economy-pool" | "shared-files",
  story: (sql: Sql) => T | Promise<T>,
): Promise<T> {
  const { AGENTS } = env as unknown as { AGENTS: DurableObjectNamespace };
  const files = Object.keys(MIGRATIONS).filter((name) => name.includes(`/migrations/${schema}/`));
  return runInDurableObject(AGENTS.get(AGENTS.newUniqueId()), async (_object, state) => {
    for (const name of files.sort()) state.storage.sql.exec(MIGRATIONS[name] ?? "");
    return story(objectSql(state.storage));
  });
}
