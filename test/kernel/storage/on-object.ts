/// <reference types="@cloudflare/vitest-plugin/types" />
/// <reference types="vite/types/importMeta.d.ts" />
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Sql } from "../../../kernel/ports.ts";
import { objectSql } from "../../support/ports.ts";

/** Runs a story on the real SQLite of a new object that holds the agent's tables, laid by its migrations, and no rows. */

const MIGRATIONS = import.meta.glob<string>("../../../migrations/agent/*.sql", {
  query: "?raw",
  import: "default",
  eager: true,
});

export async function onNewObject<T>(story: (sql: Sql) => Promise<T>): Promise<T> {
  const { AGENTS } = env as unknown as { AGENTS: DurableObjectNamespace };
  return runInDurableObject(AGENTS.get(AGENTS.newUniqueId()), async (_object, state) => {
    for (const name of Object.keys(MIGRATIONS).sort()) state.storage.sql.exec(MIGRATIONS[name] ?? "");
    return story(objectSql(state.storage));
  });
}
