import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * The tables of D1: projections that the cores write for search across tenants, the catalogue of cold pages, and the
 * few facts that belong to no object (tenants, keys). Instants are milliseconds since the epoch, money is nano-dollars.
 */

/** One row per process, as its core last projected it. `seq` rises with each change; an older row never replaces a newer. */
export const agents = sqliteTable(
  "agents",
  {
    id: text().primaryKey(),
    tenant: text().notNull(),
    name: text().notNull(),
    role: text().notNull(),
    state: text().notNull(),
    waitReason: text("wait_reason"),
    model: text().notNull(),
    parentId: text("parent_id"),
    priority: integer().notNull(),
    costNanoUsd: integer("cost_nano_usd").notNull(),
    promptTokens: integer("prompt_tokens").notNull(),
    completionTokens: integer("completion_tokens").notNull(),
    steps: integer().notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    seq: integer().notNull(),
    /** When the core projected the row. */
    asOf: integer("as_of").notNull(),
  },
  (table) => [index("agents_tenant_state").on(table.tenant, table.state, table.id)],
);

/** The ledger: one row per model call. */
export const calls = sqliteTable(
  "calls",
  {
    callId: text("call_id").primaryKey(),
    tenant: text().notNull(),
    agentId: text("agent_id").notNull(),
    provider: text().notNull(),
    model: text().notNull(),
    promptTokens: integer("prompt_tokens").notNull(),
    cachedTokens: integer("cached_tokens").notNull().default(0),
    completionTokens: integer("completion_tokens").notNull(),
    reasoningTokens: integer("reasoning_tokens").notNull().default(0),
    costNanoUsd: integer("cost_nano_usd").notNull(),
    /** The unit prices as JSON, with their version. */
    price: text().notNull().default("{}"),
    /** settled | unknown (a crash hid the outcome; counted at its upper bound) */
    state: text().notNull(),
    at: integer().notNull(),
  },
  (table) => [index("calls_tenant_at").on(table.tenant, table.at), index("calls_agent_at").on(table.agentId, table.at)],
);

/** The catalogue of cold pages: one row per segment and owner, from which a lost page table is rebuilt. */
export const segments = sqliteTable(
  "segments",
  {
    segmentId: text("segment_id").notNull(),
    /** `tenant/agentId`. Forks add rows, so a segment is garbage when its last row is gone. */
    owner: text().notNull(),
    key: text().notNull(),
    pages: integer().notNull(),
    bytes: integer().notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.segmentId, table.owner] }),
    index("segments_owner").on(table.owner, table.segmentId),
  ],
);

/** The list of batch jobs. The truth about each is in its object; `as_of` says when it last told. */
export const batches = sqliteTable(
  "batches",
  {
    id: text().primaryKey(),
    tenant: text().notNull(),
    state: text().notNull(),
    total: integer().notNull(),
    completed: integer().notNull(),
    failed: integer().notNull(),
    createdAt: integer("created_at").notNull(),
    asOf: integer("as_of").notNull(),
  },
  (table) => [index("batches_tenant").on(table.tenant, table.id)],
);

/** When each core next has something to do that an alarm may have missed. Cron reads it; cores write it. */
export const cores = sqliteTable(
  "cores",
  { tenant: text().primaryKey(), dueAt: integer("due_at").notNull() },
  (table) => [index("cores_due").on(table.dueAt)],
);

/** Who may have keys. The tenant `default` is there from the start. */
export const tenants = sqliteTable("tenants", {
  id: text().primaryKey(),
  name: text().notNull(),
  createdAt: integer("created_at").notNull(),
  /** The tenant's quota of that name as its core last said, so that the Worker knows when to ask the core; null = none. */
  requestsPerMinute: integer("requests_per_minute"),
  /** The entry of the core's log that said so: an older word never replaces a newer. */
  quotaSeq: integer("quota_seq").notNull().default(0),
});

/** Keys, as hashes: the key itself is shown once and never stored. */
export const apiKeys = sqliteTable(
  "api_keys",
  {
    id: text().primaryKey(),
    tenant: text().notNull(),
    /** viewer | operator | admin */
    role: text().notNull(),
    name: text().notNull(),
    sha256: text().notNull().unique(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at"),
    revokedAt: integer("revoked_at"),
    /** To the hour. */
    lastUsedAt: integer("last_used_at"),
    /** The key's own limit; null = none. */
    requestsPerMinute: integer("requests_per_minute"),
    /** What of its role it may use, as a JSON array; null = all. */
    scopes: text(),
    /** The key that was made to take its place. */
    replacedBy: text("replaced_by"),
  },
  (table) => [index("api_keys_tenant").on(table.tenant, table.id)],
);

/** Checkpoints of audit chains: kernel/log/checkpoint.ts. They outlive the objects whose chains they are about. */
export const auditCheckpoints = sqliteTable(
  "audit_checkpoints",
  {
    tenant: text().notNull(),
    /** An agent's id, or `core`. */
    object: text().notNull(),
    seq: integer().notNull(),
    fromSeq: integer("from_seq").notNull(),
    head: text().notNull(),
    /** Key in R2, and SHA-256, of the exported entries `from_seq` to `seq`. */
    segment: text().notNull(),
    segmentSha256: text("segment_sha256").notNull(),
    at: integer().notNull(),
    /** Digest of the checkpoint before. */
    previous: text().notNull(),
    keyId: text("key_id"),
    signature: text(),
    /** When the retention removed the segment. */
    removedAt: integer("removed_at"),
    removalSignature: text("removal_signature"),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.object, table.seq] }),
    index("audit_checkpoints_kept").on(table.at).where(sql`removed_at IS NULL`),
  ],
);

/** First answers to creations of keys and tenants that carried an `Idempotency-Key`. */
export const idempotency = sqliteTable(
  "idempotency",
  {
    /** Whose key of which creation: `<route> <key id> <tenant>`. */
    scope: text().notNull(),
    key: text().notNull(),
    bodySha256: text("body_sha256").notNull(),
    /** Encrypted for the caller where it holds a key. */
    answer: text().notNull(),
    at: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.scope, table.key] }), index("idempotency_at").on(table.at)],
);

/** Secrets for hosts outside, encrypted: neither this table nor a backup of it opens anything. */
export const credentials = sqliteTable(
  "credentials",
  {
    tenant: text().notNull(),
    name: text().notNull(),
    /** Of this version of it: a replaced one gets a new id. */
    id: text().notNull(),
    version: integer().notNull(),
    /** The hosts that it is sent to, as a JSON array; sealed along with the secret. */
    hosts: text().notNull(),
    /** Which key of the kernel sealed it. */
    keyId: text("key_id").notNull(),
    /** Base64url of nonce, tag and ciphertext. */
    sealed: text().notNull(),
    /** Tells one value from another without telling anything of it. */
    fingerprint: text().notNull(),
    createdAt: integer("created_at").notNull(),
    /** To the hour. */
    lastUsedAt: integer("last_used_at"),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.name] })],
);
