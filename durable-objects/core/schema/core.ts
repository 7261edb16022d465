import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Cursors and counters by name. */
export const meta = sqliteTable("meta", { key: text().primaryKey(), value: integer().notNull() });

/** The process table of the tenant. `block` is the control block as last reported, with long texts cut. */
export const processes = sqliteTable(
  "processes",
  {
    id: text().primaryKey(),
    name: text().notNull(),
    state: text().notNull(),
    priority: integer().notNull(),
    parentId: text("parent_id"),
    block: text().notNull(),
    /** The accepted spec as JSON until the agent's object has confirmed that it lives; then null. */
    spec: text(),
    /** What the process may: its level, and what it was granted as JSON. Null in rows from before: as in `block`, and nothing. */
    level: text(),
    grants: text(),
    /** The key that had it spawned, or its parent's: `key:<id>`. It pays beside the process. Null in rows from before. */
    payer: text(),
    /** What was denied whatever level and grants say, as JSON. */
    denials: text().notNull().default("{}"),
    /** Names of its tools as a JSON array; null = all that its level allows, or unknown in rows from before. */
    tools: text(),
    /** Tools that ask a person before each call, as a JSON array: children ask for these too. */
    asks: text().notNull().default("[]"),
    /** Pages, files and their bytes as last reported, as JSON; null = never reported, or erased. */
    stored: text(),
    /** CPU of its code as last reported, in all and in the newest hour and day, as JSON; it outlives the process. */
    cpu: text(),
    /** What the process took of the platform, by UTC day, as JSON; it outlives the process. */
    platform: text(),
    /** Sequence number of the agent's log that `block` shows; an older report is ignored. */
    seq: integer().notNull(),
    /** Hash of that entry; null = never reported by a version that knew it. */
    head: text(),
    /** Virtual time of weighted fair queueing: served tokens over weight. */
    vtime: integer().notNull(),
    /** Position in the order of changes, for the projection to D1. */
    changed: integer().notNull(),
    /** When the process goes on by its own alarm, as it last said; null = it waits for somebody else. */
    dueAt: integer("due_at"),
    erasedAt: integer("erased_at"),
  },
  (table) => [
    index("processes_due").on(table.dueAt),
    index("processes_changed").on(table.changed),
    index("processes_parent").on(table.parentId),
    index("processes_unborn").on(table.spec),
  ],
);

/** Who waits for a slot. */
export const runQueue = sqliteTable(
  "run_queue",
  {
    agentId: text("agent_id").primaryKey(),
    urgent: integer().notNull(),
    vtime: integer().notNull(),
    priority: integer().notNull(),
    enqueuedAt: integer("enqueued_at").notNull(),
    /** The vendor account whose gate the call has to pass; empty for a model that has none. */
    gate: text().notNull().default(""),
    /** What the call counts for against the account's tokens a minute. */
    tokens: integer().notNull().default(0),
  },
  (table) => [index("run_queue_order").on(table.gate, table.urgent, table.vtime, table.priority, table.enqueuedAt)],
);

/** Who holds a slot, and until when. */
export const slots = sqliteTable(
  "slots",
  {
    agentId: text("agent_id").primaryKey(),
    fence: integer().notNull(),
    expiresAt: integer("expires_at").notNull(),
    /** 1 while the agent has not yet come for it after it was pushed. */
    pushed: integer().notNull(),
    /** The vendor account that the slot's call is under way at; empty where there is no gate. */
    gate: text().notNull().default(""),
    /** The epoch of the account's breaker in which that call was allowed. */
    epoch: integer().notNull().default(0),
  },
  (table) => [index("slots_gate").on(table.gate)],
);

/** The ledger: one row per model call, from its reservation to its settlement. */
export const calls = sqliteTable(
  "calls",
  {
    id: text().primaryKey(),
    agentId: text("agent_id").notNull(),
    /** The key that pays for the call beside its owner: `key:<id>`. Null where there is none, and in rows from before. */
    payer: text(),
    provider: text().notNull(),
    model: text().notNull(),
    /** open | settled | unknown */
    state: text().notNull(),
    inputBound: integer("input_bound").notNull(),
    outputBound: integer("output_bound").notNull(),
    reservedNanoUsd: integer("reserved_nano_usd").notNull(),
    promptTokens: integer("prompt_tokens").notNull(),
    cachedTokens: integer("cached_tokens").notNull(),
    completionTokens: integer("completion_tokens").notNull(),
    /** The part of the prompt that was written into the vendor's cache, and the part of the completion that was thought. */
    cacheWriteTokens: integer("cache_write_tokens").notNull().default(0),
    reasoningTokens: integer("reasoning_tokens").notNull().default(0),
    costNanoUsd: integer("cost_nano_usd").notNull(),
    /** The unit prices as JSON, with their version. */
    price: text().notNull(),
    /** Where the reply came from when it was not made for this call: memory | shared | flight. Such a call costs nothing. */
    cache: text(),
    /** What the call would have cost. */
    savedNanoUsd: integer("saved_nano_usd").notNull().default(0),
    openedAt: integer("opened_at").notNull(),
    /** When an open call settles as unknown. */
    expiresAt: integer("expires_at").notNull(),
    settledAt: integer("settled_at"),
    /** The call whose outcome was lost and that this one goes on from, or does once more. */
    resumedFrom: text("resumed_from"),
    restartedFrom: text("restarted_from"),
    changed: integer().notNull(),
  },
  (table) => [
    index("calls_open").on(table.state, table.expiresAt),
    index("calls_changed").on(table.changed),
    index("calls_agent").on(table.agentId),
  ],
);

/** Limits and meters. `subject` is `tenant` or an agent's id; `period` is `total`, a UTC hour or a UTC day. */
export const budgets = sqliteTable(
  "budgets",
  {
    subject: text().notNull(),
    metric: text().notNull(),
    limit: integer().notNull(),
    per: text().notNull(),
    period: text().notNull(),
    used: integer().notNull(),
    reserved: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.subject, table.metric] })],
);

/** Agents that a spent budget keeps waiting. */
export const quotaWaiters = sqliteTable("quota_waiters", {
  agentId: text("agent_id").primaryKey(),
  since: integer().notNull(),
  /** What the least call that is worth making would take. */
  tokens: integer().notNull().default(0),
  nanoUsd: integer("nano_usd").notNull().default(0),
  /** More than 0 = not a model call but a run of code waits, and may use so much. */
  cpuMs: integer("cpu_ms").notNull().default(0),
});

/** Catalogue rows of cold segments on their way to D1. */
export const segments = sqliteTable("segments", {
  ordinal: integer().primaryKey({ autoIncrement: true }),
  agentId: text("agent_id").notNull(),
  row: text().notNull(),
});

/** Signals on their way to children of processes that ended. */
export const signals = sqliteTable("signals", { agentId: text("agent_id").primaryKey(), signal: text().notNull() });

/** Questions and approvals that wait for a person. */
export const approvals = sqliteTable(
  "approvals",
  {
    id: text().primaryKey(),
    agentId: text("agent_id").notNull(),
    callId: text("call_id").notNull(),
    kind: text().notNull(),
    state: text().notNull(),
    question: text().notNull(),
    options: text(),
    answer: text(),
    /** JSON of the exact action that an approval is about; null for a question. */
    action: text(),
    /** done | not_done | abandon, or approve | deny */
    decision: text(),
    note: text(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at"),
  },
  (table) => [index("approvals_state").on(table.state, table.id), index("approvals_agent").on(table.agentId)],
);

/** Sticky answers to approvals. */
export const approvalRules = sqliteTable(
  "approval_rules",
  {
    id: text().primaryKey(),
    /** approve | deny */
    decision: text().notNull(),
    /** agent | subtree | tenant */
    scope: text().notNull(),
    /** Null for the whole tenant. */
    agentId: text("agent_id"),
    tool: text().notNull(),
    /** tool | host | exact */
    kind: text().notNull(),
    /** The host, or SHA-256 of the exact input. */
    value: text(),
    untilAt: integer("until_at"),
    note: text(),
    /** Who made it. */
    actor: text().notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [index("approval_rules_tool").on(table.tool)],
);

/** Model calls of the batch lane that the queue could not deliver, until a person retries them. */
export const deadLetters = sqliteTable("dead_letters", {
  callId: text("call_id").primaryKey(),
  agentId: text("agent_id").notNull(),
  reason: text().notNull(),
  /** How often the call had been put into the queue. */
  attempts: integer().notNull(),
  at: integer().notNull(),
});

/** First answers to spawns that carried an `Idempotency-Key`. */
export const idempotency = sqliteTable("idempotency", {
  key: text().primaryKey(),
  bodySha256: text("body_sha256").notNull(),
  answer: text().notNull(),
  at: integer().notNull(),
});

/** The core's own hash-chained log. */
export const log = sqliteTable("log", {
  seq: integer().primaryKey(),
  at: integer().notNull(),
  kind: text().notNull(),
  callId: text("call_id"),
  actor: text().notNull(),
  data: text().notNull(),
  hash: text().notNull(),
});

/** How far each chain of the tenant is covered by checkpoints; `object` is an agent's id, or `core`. Stays when an agent is erased. */
export const seals = sqliteTable(
  "seals",
  {
    object: text().primaryKey(),
    /** The newest entry that a checkpoint covers, its hash, and the digest of that checkpoint. */
    seq: integer().notNull(),
    head: text().notNull(),
    digest: text().notNull(),
    /** The export under way goes to this entry, and its checkpoint is of `at`; null = none is. */
    upTo: integer("up_to"),
    at: integer(),
    /** Hash of entry `up_to` as the object reported it. */
    expected: text(),
    /** The entry from which on the chain did not go on from its last checkpoint. */
    brokenAt: integer("broken_at"),
  },
  (table) => [index("seals_open").on(table.upTo).where(sql`up_to IS NOT NULL`)],
);
