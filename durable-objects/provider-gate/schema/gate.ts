import { integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** The one row of a vendor account: its breaker, and what is left of the minute. */
export const account = sqliteTable("account", {
  id: integer().primaryKey(),
  /** closed | open | half-open */
  state: text().notNull(),
  epoch: integer().notNull(),
  failures: integer().notNull(),
  rounds: integer().notNull(),
  until: integer().notNull(),
  probe: text(),
  calls: real().notNull(),
  tokens: real().notNull(),
  filledAt: integer("filled_at").notNull(),
  lastCode: text("last_code"),
  lastAt: integer("last_at"),
});

/** Who has a slice or asked for one a short time ago. A row ends with its slice. */
export const holders = sqliteTable("holders", {
  holder: text().primaryKey(),
  tenant: text().notNull(),
  /** Calls that are lent, or still under way although they are not lent any more. */
  calls: integer().notNull(),
  inUse: integer("in_use").notNull(),
  waiting: integer().notNull(),
  callTokens: integer("call_tokens").notNull(),
  expiresAt: integer("expires_at").notNull(),
});
