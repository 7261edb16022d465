import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** The one row of truth about the process. */
export const process = sqliteTable("process", {
  id: text().primaryKey(),
  tenant: text().notNull(),
  name: text().notNull(),
  role: text().notNull(),
  goal: text().notNull(),
  instructions: text().notNull(),
  model: text().notNull(),
  /** The models that `model` is chosen from, with the rule, as JSON; null = it is the only one. */
  routing: text(),
  lane: text().notNull(),
  priority: integer().notNull(),
  permissionLevel: text("permission_level").notNull(),
  daemon: integer().notNull(),
  parentId: text("parent_id"),
  /** JSON array of tool names, or null for all that the level allows. */
  tools: text(),
  /** JSON object of limits as they were given. */
  quotas: text().notNull(),
  /** JSON object of what was granted on top of the level: tools, hosts, paths, credentials. */
  grants: text().notNull().default("{}"),
  /** JSON object of what was denied: tools, hosts, paths. */
  denials: text().notNull().default("{}"),
  /** JSON array of tools that ask a person before each call. */
  asks: text().notNull().default("[]"),
  /** The label of everything that the process has read: it never falls. */
  label: text().notNull().default("untrusted/private"),
  /** Invisible characters that were taken out of what it read. */
  stripped: integer().notNull().default(0),
  windowTokens: integer("window_tokens").notNull(),
  pageTokens: integer("page_tokens").notNull(),
  replacement: text().notNull(),
  maxOutputTokens: integer("max_output_tokens").notNull(),
  deadlineAt: integer("deadline_at"),

  state: text().notNull(),
  waitReason: text("wait_reason"),
  stopReason: text("stop_reason"),
  exitCode: integer("exit_code"),
  exitReason: text("exit_reason"),
  result: text(),
  lastError: text("last_error"),
  /** A signal that acts at the end of the running step: TERM or INT. */
  pendingSignal: text("pending_signal"),

  /** The message being worked on, and its step within the turn. */
  turnMessageId: text("turn_message_id"),
  turnStep: integer("turn_step").notNull(),
  /** Model calls of this step that were made before: lost in a crash, or refused by the vendor. */
  turnAttempt: integer("turn_attempt").notNull(),
  /** Rises with every slice; a holder with an older number is refused when it writes. */
  fence: integer().notNull(),
  /** When to try again what a vendor or the core refused for now. */
  retryAt: integer("retry_at"),
  retries: integer().notNull(),
  /** Slices that died in a row on the same call, under this version of the code. */
  deaths: integer().notNull(),
  deathsVersion: text("deaths_version").notNull(),
  /** The model call that a crash cut, as JSON with what had come of its reply, until the step has one. */
  cutCall: text("cut_call"),

  promptTokens: integer("prompt_tokens").notNull(),
  cachedTokens: integer("cached_tokens").notNull(),
  completionTokens: integer("completion_tokens").notNull(),
  costNanoUsd: integer("cost_nano_usd").notNull(),
  steps: integer().notNull(),
  toolCalls: integer("tool_calls").notNull(),
  /** CPU that code of the process used, in milliseconds; a run whose end nobody saw counts at the most it could use. */
  cpuMs: integer("cpu_ms").notNull().default(0),

  /** What was counted of the platform when the row was last written, as JSON. */
  platform: text(),
  /** The meters of the process as the core last told them, as JSON. */
  standing: text(),
  /** The newest log entry that the core has seen. */
  exportedSeq: integer("exported_seq").notNull(),
  /** Set when erasing began: from then on the object answers as if it were not there. */
  erasedAt: integer("erased_at"),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
});

/** The hash-chained log. */
export const log = sqliteTable("log", {
  seq: integer().primaryKey(),
  at: integer().notNull(),
  kind: text().notNull(),
  callId: text("call_id"),
  actor: text().notNull(),
  data: text().notNull(),
  hash: text().notNull(),
});

/** Calls in flight: a row is written before the effect and leaves with the transaction that records the outcome. */
export const pending = sqliteTable("pending", {
  callId: text("call_id").primaryKey(),
  name: text().notNull(),
  effect: text().notNull(),
  /**
   * queued | sent (a message in the calls queue) | claimed (by the queue's consumer) | running | waiting (a person answers) |
   * held (runs only with a person's leave) | parked (a person finds out what became of it) |
   * done (the outcome is recorded; the rest of the step is not).
   */
  state: text().notNull(),
  messageId: text("message_id").notNull(),
  step: integer().notNull(),
  /** The model's own id of the tool call, and its place among the calls of its step. */
  toolCallId: text("tool_call_id"),
  position: integer().notNull(),
  attempt: integer().notNull(),
  fence: integer().notNull(),
  /** A tool's arguments as the model wrote them; the bounds of a model call as JSON. */
  input: text().notNull(),
  /**
   * The outcome as JSON, once there is one; before that, of a running model call, what has come of its reply; of a held call why, and
   * of one with leave that leave.
   */
  outcome: text(),
  startedAt: integer("started_at").notNull(),
  deadlineAt: integer("deadline_at").notNull(),
});

/** Model calls that nobody waits for any more and whose real bill may still arrive from the queue's consumer. */
export const strays = sqliteTable("strays", {
  callId: text("call_id").primaryKey(),
  step: integer().notNull(),
  /** Why nobody waits: `lost` or `cancelled`, as in the log. */
  code: text().notNull(),
  /** What the call counts for until then. */
  reservedNanoUsd: integer("reserved_nano_usd").notNull(),
  price: text().notNull(),
  at: integer().notNull(),
});

export const mailbox = sqliteTable(
  "mailbox",
  {
    ordinal: integer().primaryKey({ autoIncrement: true }),
    id: text().notNull().unique(),
    state: text().notNull(),
    content: text().notNull(),
    sender: text("sender").notNull(),
    label: text().notNull().default("user/public"),
    reply: text(),
    errorCode: text("error_code"),
    errorMessage: text("error_message"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [index("mailbox_state").on(table.state, table.ordinal)],
);

/** First answers to requests that carried an `Idempotency-Key`. */
export const idempotency = sqliteTable("idempotency", {
  key: text().primaryKey(),
  bodySha256: text("body_sha256").notNull(),
  answer: text().notNull(),
  at: integer().notNull(),
});
