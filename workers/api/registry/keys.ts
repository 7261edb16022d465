import { createHash } from "node:crypto";
import type { Listing, ListOptions } from "../../../durable-objects/agent/rpc.ts";
import { askD1 } from "../../../durable-objects/d1/ask-d1.ts";
import { systemClock, systemRandom } from "../../../durable-objects/ports.ts";
import { err, ok, type Result } from "../../../kernel/errors.ts";
import { newId } from "../../../kernel/id.ts";
import type { Role } from "../roles.ts";
import type { Scope } from "../scopes.ts";
import type { Creation } from "./creations.ts";

/**
 * The keys of all tenants, in D1. A key is `aos_` and 256 random bits; what is stored is its SHA-256, which needs no salt
 * and no stretching at that length. A revoked key keeps its row, so that the audit trail can still say whose it was.
 */

/** A key as its admin sees it: never the key itself, never its hash. */
export interface KeyView {
  id: string;
  tenantId: string;
  role: Role;
  name: string;
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
  requestsPerMinute: number | null;
  /** Null = all of its role. */
  scopes: Scope[] | null;
  /** The key that takes its place: see rotate-key.ts. */
  replacedBy: string | null;
}

/** A key at the only moment when anybody sees it. */
export type IssuedKey = KeyView & { key: string };

/** What a request needs to know of its key. */
export interface KeyFacts {
  id: string;
  tenant: string;
  role: Role;
  sha256: string;
  expiresAt: number | null;
  lastUsedAt: number | null;
  requestsPerMinute: number | null;
  scopes: Scope[] | null;
  /** Whether the tenant limits the requests of all its keys together. */
  tenantRequestsPerMinute: number | null;
}

/** What the maker of a key decides. */
export interface KeySpec {
  tenant: string;
  role: Role;
  name: string;
  expiresAt: number | null;
  requestsPerMinute: number | null;
  scopes: Scope[] | null;
}

type Row = {
  id: string;
  tenant: string;
  role: Role;
  name: string;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  last_used_at: number | null;
  requests_per_minute: number | null;
  scopes: string | null;
  replaced_by: string | null;
};

const CREATE = `INSERT INTO api_keys (id, tenant, role, name, sha256, created_at, expires_at, requests_per_minute, scopes)
  SELECT ?, id, ?, ?, ?, ?, ?, ?, ? FROM tenants WHERE id = ?`;
/** A key in another's place: only while that one is good, and has no successor yet. */
const SUCCEED = `INSERT INTO api_keys (id, tenant, role, name, sha256, created_at, expires_at, requests_per_minute, scopes)
  SELECT ?, tenant, role, name, ?, ?, expires_at, requests_per_minute, scopes FROM api_keys
  WHERE id = ? AND revoked_at IS NULL AND replaced_by IS NULL AND (expires_at IS NULL OR expires_at > ?)`;
const REPLACE = `UPDATE api_keys SET replaced_by = ?1, expires_at = MIN(COALESCE(expires_at, ?2), ?2)
  WHERE id = ?3 AND EXISTS (SELECT 1 FROM api_keys WHERE id = ?1)`;
const COLUMNS =
  "id, tenant, role, name, created_at, expires_at, revoked_at, last_used_at, requests_per_minute, scopes, replaced_by";
const LIST = `SELECT ${COLUMNS} FROM api_keys WHERE (?1 IS NULL OR tenant = ?1) AND id > ?2 ORDER BY id LIMIT ?3`;
const GET = `SELECT ${COLUMNS} FROM api_keys WHERE id = ?1 AND (?2 IS NULL OR tenant = ?2)`;
const REVOKE = "UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL";
const FIND = `SELECT k.id, k.tenant, k.role, k.sha256, k.expires_at AS expiresAt, k.last_used_at AS lastUsedAt,
    k.requests_per_minute AS requestsPerMinute, k.scopes, t.requests_per_minute AS tenantRequestsPerMinute
  FROM api_keys k JOIN tenants t ON t.id = k.tenant WHERE k.sha256 = ? AND k.revoked_at IS NULL`;
const USE = "UPDATE api_keys SET last_used_at = ? WHERE id = ?";

type Stored = Omit<KeyFacts, "scopes"> & { scopes: string | null };

const SHAPE = /^aos_[A-Za-z0-9_-]{43}$/;
const KEY_BYTES = 32;

/** Whether `text` can be a key at all: D1 is not asked about anything else. */
export function isKeyShaped(text: string): boolean {
  return SHAPE.test(text);
}

export function hashOfKey(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

/** A key that nobody has yet, and the row that would make it one. */
export function newKey(spec: KeySpec): Creation<IssuedKey> {
  const { tenant, role, name, expiresAt, requestsPerMinute, scopes } = spec;
  const { id, key, now, sha256 } = drawn();
  const list = scopes === null ? null : JSON.stringify(scopes);
  const values = [id, role, name, sha256, now, expiresAt, requestsPerMinute, list, tenant];
  return { table: "api_keys", id, statement: CREATE, values, answer: { ...fresh(spec, id, now), key } };
}

/** A key that does what `old` does, and takes its place from `replacedAt` on. */
export function successorOf(old: KeyView, replacedAt: number): Creation<IssuedKey> {
  const { id, key, now, sha256 } = drawn();
  const expiresAt = old.expiresAt === null ? null : Date.parse(old.expiresAt);
  const answer = { ...fresh({ ...old, tenant: old.tenantId, expiresAt }, id, now), key };
  const values = [id, sha256, now, old.id, now];
  const replace = { statement: REPLACE, values: [id, replacedAt, old.id] };
  return { table: "api_keys", id, statement: SUCCEED, values, answer, also: replace };
}

function drawn() {
  const key = `aos_${Buffer.from(systemRandom.bytes(KEY_BYTES)).toString("base64url")}`;
  const id = newId("key", { clock: systemClock, random: systemRandom });
  return { id, key, sha256: hashOfKey(key).toString("hex"), now: systemClock.now() };
}

function fresh(
  { tenant, role, name, expiresAt, requestsPerMinute, scopes }: KeySpec,
  id: string,
  now: number,
): KeyView {
  const expiry = { createdAt: new Date(now).toISOString(), expiresAt: instant(expiresAt) };
  const unused = { revokedAt: null, lastUsedAt: null, replacedBy: null };
  return { id, tenantId: tenant, role, name, ...expiry, ...unused, requestsPerMinute, scopes };
}

export class Keys {
  readonly #database: D1Database;

  constructor(database: D1Database) {
    this.#database = database;
  }

  /** Keys of `tenant`, or of all when it is null; revoked ones included, the oldest first. */
  async list(tenant: string | null, options: ListOptions): Promise<Result<Listing<KeyView>>> {
    const statement = this.#database.prepare(LIST).bind(tenant, options.cursor ?? "", options.limit + 1);
    const rows = await askD1(statement.all<Row>());
    if (!rows.ok) return rows;
    const items = rows.value.results.slice(0, options.limit).map(viewOf);
    return ok({ items, nextCursor: rows.value.results.length > options.limit ? (items.at(-1)?.id ?? null) : null });
  }

  /** One key of `tenant`, or of any when it is null; `not_found` alike for one of another tenant. */
  async get(id: string, tenant: string | null): Promise<Result<KeyView>> {
    const row = await askD1(this.#database.prepare(GET).bind(id, tenant).first<Row>());
    if (!row.ok) return row;
    return row.value === null ? err("not_found", "There is no such key.") : ok(viewOf(row.value));
  }

  /** Durable when it answers; isolates may trust the key for `LIMITS.keyCacheMs` more. */
  async revoke(id: string): Promise<Result<unknown>> {
    return askD1(this.#database.prepare(REVOKE).bind(systemClock.now(), id).run());
  }

  /** What is known of the key with this hash, unless it is revoked or its tenant is gone; it may have expired. */
  async find(sha256: string): Promise<Result<KeyFacts | null>> {
    const found = await askD1(this.#database.prepare(FIND).bind(sha256).first<Stored>());
    if (!found.ok || found.value === null) return found as Result<null>;
    return ok({ ...found.value, scopes: scopesOf(found.value.scopes) });
  }

  async noteUse(id: string): Promise<void> {
    await askD1(this.#database.prepare(USE).bind(systemClock.now(), id).run());
  }
}

function viewOf(row: Row): KeyView {
  return {
    id: row.id,
    tenantId: row.tenant,
    role: row.role,
    name: row.name,
    createdAt: new Date(row.created_at).toISOString(),
    expiresAt: instant(row.expires_at),
    revokedAt: instant(row.revoked_at),
    lastUsedAt: instant(row.last_used_at),
    requestsPerMinute: row.requests_per_minute,
    scopes: scopesOf(row.scopes),
    replacedBy: row.replaced_by,
  };
}

function scopesOf(text: string | null): Scope[] | null {
  return text === null ? null : (JSON.parse(text) as Scope[]);
}

function instant(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
