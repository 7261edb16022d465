import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** The one row of truth about the job. Instants are milliseconds since the epoch, money is nano-dollars. */
export const job = sqliteTable("job", {
  id: text().primaryKey(),
  /** uploading, then the states of `GET /v1/batches/{id}`. */
  state: text().notNull(),
  /** Who asked: `key:<id>`. */
  actor: text().notNull(),
  total: integer().notNull(),
  completed: integer().notNull(),
  failed: integer().notNull(),
  costNanoUsd: integer("cost_nano_usd").notNull(),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
  expiresAt: integer("expires_at").notNull(),
  finishedAt: integer("finished_at"),
  /** Why the job as a whole is where it is, as JSON: a KernelError. */
  error: text(),
  /** Names of providers whose endpoint turned out to have no batch API, as JSON. */
  pooled: text().notNull(),
  /** 1 while the list in D1 does not know the row as it is. */
  unlisted: integer().notNull(),
});

/** One row a request, emptied when the results stand in R2. */
export const requests = sqliteTable(
  "requests",
  {
    position: integer().primaryKey(),
    customId: text("custom_id").notNull(),
    model: text().notNull(),
    bytes: integer().notNull(),
    /** The request as JSON. */
    body: text().notNull(),
    /** open | reserved (its money is) | sent (the pool may be billed for it) | done */
    state: text().notNull(),
    lot: integer(),
    /** Counts calls: each has an id, a reservation and a bill of its own. */
    attempt: integer().notNull(),
    maxOutputTokens: integer("max_output_tokens").notNull(),
    reservedNanoUsd: integer("reserved_nano_usd").notNull(),
    retryAt: integer("retry_at").notNull(),
    /** Its line of the results. */
    result: text(),
  },
  (table) => [index("requests_state").on(table.state, table.position)],
);

/** Requests of one model that go to their vendor together. */
export const lots = sqliteTable("lots", {
  lot: integer().primaryKey(),
  provider: text().notNull(),
  model: text().notNull(),
  /** vendor | pool */
  driver: text().notNull(),
  /** planned | ready | uploading (a file of an earlier life may be at the vendor) | submitting | submitted | ended */
  state: text().notNull(),
  requests: integer().notNull(),
  bytes: integer().notNull(),
  inputFileId: text("input_file_id"),
  vendorBatchId: text("vendor_batch_id"),
  /** When the submission began whose answer is not known; null when nothing can have arrived. */
  submittedAt: integer("submitted_at"),
  cancelledAt: integer("cancelled_at"),
  polls: integer().notNull(),
  failures: integer().notNull(),
  dueAt: integer("due_at").notNull(),
});

/** Settlements that the core has not confirmed yet. */
export const bills = sqliteTable("bills", {
  callId: text("call_id").primaryKey(),
  settlement: text().notNull(),
});

/** The results in R2: objects that follow one another. */
export const resultParts = sqliteTable("result_parts", {
  part: integer().primaryKey(),
  key: text().notNull(),
  /** Where it begins in the whole file, in bytes. */
  offset: integer().notNull(),
  bytes: integer().notNull(),
  lastPosition: integer("last_position").notNull(),
});
