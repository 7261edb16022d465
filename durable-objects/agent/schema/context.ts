import { sql } from "drizzle-orm";
import { index, integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * The page table. `tier` says where the content is: hot and warm rows hold it, cold ones name a segment. A page that came
 * back from a segment keeps its place there, so that it leaves again without being written twice.
 */
export const pages = sqliteTable(
  "pages",
  {
    ordinal: integer().primaryKey({ autoIncrement: true }),
    id: text().notNull().unique(),
    kind: text().notNull(),
    tier: text().notNull(),
    /** Where a hot page stands in the prompt: system | history | memory. Null when it is not hot. */
    place: text(),
    /** Pages of one history entry carry the ordinal of its first. Null outside the history. */
    entry: integer(),
    tokens: integer().notNull(),
    bytes: integer().notNull(),
    sha256: text().notNull(),
    pinned: integer().notNull(),
    importance: real().notNull(),
    source: text().notNull(),
    /** First words, for the line that an evicted page leaves behind. */
    preview: text().notNull(),
    /** Logical times: of the last use, of becoming hot, of leaving a line behind. */
    usedAt: integer("used_at").notNull(),
    hotAt: integer("hot_at"),
    stubbedAt: integer("stubbed_at"),
    segmentId: text("segment_id"),
    segmentOffset: integer("segment_offset"),
    createdAt: integer("created_at").notNull(),
    /** Where the content comes from and who may see it: `trust/sensitivity`. */
    label: text().notNull().default("untrusted/private"),
    /** Last, so that walks over the table need not read it. */
    content: text(),
  },
  (table) => [
    index("pages_tier").on(table.tier, table.usedAt, table.tokens, table.bytes),
    index("pages_stub").on(table.stubbedAt).where(sql`stubbed_at IS NOT NULL`),
  ],
);

/** Objects of cold pages. A row without pages is an orphan: written by a spill that never committed, or outlived. */
export const segments = sqliteTable("segments", {
  id: text().primaryKey(),
  key: text().notNull(),
  /** Pages in the object, and those that the page table still names. */
  pages: integer().notNull(),
  live: integer().notNull(),
  bytes: integer().notNull(),
  sha256: text().notNull(),
  createdAt: integer("created_at").notNull(),
});

/** One row: counters and the logical clock of the context. */
export const contextState = sqliteTable("context_state", {
  id: integer().primaryKey(),
  clock: integer().notNull(),
  minorFaults: integer("minor_faults").notNull(),
  majorFaults: integer("major_faults").notNull(),
  evictions: integer().notNull(),
  /** The vendor's tokens for one of ours: a running average. */
  tokenFactor: real("token_factor").notNull(),
  /** Estimated tokens of the tools of the last call: they take their part of the window. */
  toolTokens: integer("tool_tokens").notNull(),
});
