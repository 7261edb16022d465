import { err, ok, type Result } from "../kernel/errors.ts";
import type { Sql } from "../kernel/ports.ts";

/**
 * Lays and migrates an object's schema: the files that drizzle-kit generated, each once, all in one transaction. Our own
 * few lines instead of drizzle's migrator, because that one hides the real error of a failing migration.
 */

export interface Migration {
  name: string;
  sql: string;
  /** What no SQL can say of the rows that are there, in the same transaction. */
  fill?: (sql: Sql) => void;
}

const LAID = "SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'";
const LAY = "CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY, at INTEGER NOT NULL)";
const DONE = "SELECT name FROM schema_migrations";
const RECORD = "INSERT INTO schema_migrations (name, at) VALUES (?, ?)";

/** Whether a schema was ever laid here: an object without one holds nothing and must touch nothing. */
export function isLaid(sql: Sql): boolean {
  return (sql.first<{ n: number }>(LAID)?.n ?? 0) > 0;
}

/** Runs what is missing. `schema_failed` leaves everything as it was. */
export function migrate(sql: Sql, migrations: readonly Migration[], now: number): Result<null> {
  try {
    sql.transaction(() => {
      sql.run(LAY);
      const done = new Set(sql.all<{ name: string }>(DONE).map((row) => row.name));
      for (const migration of migrations) {
        if (done.has(migration.name)) continue;
        sql.run(migration.sql);
        migration.fill?.(sql);
        sql.run(RECORD, migration.name, now);
      }
    });
    return ok(null);
  } catch (cause) {
    console.error("schema migration failed", cause);
    return err("schema_failed", "this object's tables could not be brought to this version; deploy a version that can");
  }
}
