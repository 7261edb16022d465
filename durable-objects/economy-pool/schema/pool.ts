import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export { lots } from "../../batch-job/schema/job.ts";

/** One row a call, from its agent's word until its agent has the outcome. Instants are milliseconds since the epoch. */
export const calls = sqliteTable(
  "calls",
  {
    /** Its name in the vendor's file. */
    position: integer().primaryKey({ autoIncrement: true }),
    callId: text("call_id").notNull().unique(),
    /** The agent's message, as JSON. */
    message: text().notNull(),
    /** asked | claimed (the request is here) | done (the outcome is) | declined (no Batch API, no call was made) */
    state: text().notNull(),
    lot: integer(),
    /** The request as JSON. */
    request: text().notNull(),
    bytes: integer().notNull(),
    /** How the call ended, as JSON. */
    outcome: text(),
    askedAt: integer("asked_at").notNull(),
    /** When the agent is asked, or told, next. */
    dueAt: integer("due_at").notNull(),
    failures: integer().notNull(),
  },
  (table) => [index("calls_state").on(table.state, table.position)],
);
