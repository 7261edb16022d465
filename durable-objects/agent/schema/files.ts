import { blob, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** The agent's own files, by absolute path. `kernel/storage/drivers/sqlite.ts` holds the statements. */
export const files = sqliteTable("files", {
  path: text().primaryKey(),
  version: integer().notNull(),
  bytes: integer().notNull(),
  sha256: text().notNull(),
  updatedAt: integer("updated_at").notNull(),
});

/** What a file carries of whoever wrote it: `trust/sensitivity`. A path keeps the worst that it had. */
export const fileLabels = sqliteTable("file_labels", { path: text().primaryKey(), label: text().notNull() });

/** Content in pieces, because a row ends at 2 MB. An empty file has none. */
export const fileChunks = sqliteTable(
  "file_chunks",
  {
    path: text().notNull(),
    /** 0, 1, 2, ...; all but the last are of one size. */
    position: integer().notNull(),
    content: blob().notNull(),
  },
  (table) => [primaryKey({ columns: [table.path, table.position] })],
);

/**
 * What files were before they were overwritten or deleted: `kernel/storage/file-history.ts`. Their contents stand in `file_chunks` under
 * `version:<ordinal>`, which is no path.
 */
export const fileVersions = sqliteTable(
  "file_versions",
  {
    ordinal: integer().primaryKey(),
    path: text().notNull(),
    version: integer().notNull(),
    bytes: integer().notNull(),
    sha256: text().notNull(),
    updatedAt: integer("updated_at").notNull(),
    replacedAt: integer("replaced_at").notNull(),
  },
  (table) => [uniqueIndex("file_versions_by_path").on(table.path, table.version)],
);

/** First answers to keyed writes, so that a repeat changes nothing. Only the newest are kept. */
export const fileWrites = sqliteTable("file_writes", {
  ordinal: integer().primaryKey(),
  key: text().notNull().unique(),
  /** What the key stood for: a repeat with anything else is refused. */
  action: text().notNull(),
  /** The file's entry as JSON, as the write made it or as the deletion found it. */
  answer: text().notNull(),
});
