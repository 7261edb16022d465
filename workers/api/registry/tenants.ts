import type { Listing, ListOptions } from "../../../durable-objects/agent/rpc.ts";
import { askD1 } from "../../../durable-objects/d1/ask-d1.ts";
import { systemClock, systemRandom } from "../../../durable-objects/ports.ts";
import { err, ok, type Result } from "../../../kernel/errors.ts";
import { ulid } from "../../../kernel/id.ts";
import type { Creation } from "./creations.ts";

/**
 * The tenants, in D1. Their ids are made up here and never again: the objects of a tenant are found by its id, so a second
 * tenant of that id would inherit the first one's chain.
 */

export interface TenantView {
  id: string;
  name: string;
  createdAt: string;
}

type Row = { id: string; name: string; created_at: number };

export const DEFAULT_TENANT = "default";

const CREATE = "INSERT INTO tenants (id, name, created_at) SELECT ?, ?, ? WHERE TRUE";
const LIST = `SELECT id, name, created_at FROM tenants WHERE (?1 IS NULL OR id = ?1) AND id > ?2 ORDER BY id LIMIT ?3`;
const GET = "SELECT id, name, created_at FROM tenants WHERE id = ?";
const LIVE_KEYS =
  "SELECT 1 FROM api_keys WHERE tenant = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)";
const REMOVE = `DELETE FROM tenants WHERE id = ? AND NOT EXISTS (${LIVE_KEYS})`;
const REMOVE_KEYS = "DELETE FROM api_keys WHERE tenant = ?1 AND NOT EXISTS (SELECT 1 FROM tenants WHERE id = ?1)";
const REMOVE_CREDENTIALS =
  "DELETE FROM credentials WHERE tenant = ?1 AND NOT EXISTS (SELECT 1 FROM tenants WHERE id = ?1)";
const LIMIT_REQUESTS = "UPDATE tenants SET requests_per_minute = ?, quota_seq = ? WHERE id = ? AND quota_seq < ?";

/** A tenant that is not there yet, as the row that would make it one. */
export function newTenant(name: string): Creation<TenantView> {
  const id = `t-${ulid({ clock: systemClock, random: systemRandom })}`;
  const now = systemClock.now();
  const answer = viewOf({ id, name, created_at: now });
  return { table: "tenants", id, statement: CREATE, values: [id, name, now], answer };
}

export class Tenants {
  readonly #database: D1Database;

  constructor(database: D1Database) {
    this.#database = database;
  }

  /** All tenants, or only the one named `only`, in the order of their ids. */
  async list(only: string | null, options: ListOptions): Promise<Result<Listing<TenantView>>> {
    const statement = this.#database.prepare(LIST).bind(only, options.cursor ?? "", options.limit + 1);
    const rows = await askD1(statement.all<Row>());
    if (!rows.ok) return rows;
    const items = rows.value.results.slice(0, options.limit).map(viewOf);
    return ok({ items, nextCursor: rows.value.results.length > options.limit ? (items.at(-1)?.id ?? null) : null });
  }

  async get(id: string): Promise<Result<TenantView>> {
    const row = await askD1(this.#database.prepare(GET).bind(id).first<Row>());
    if (!row.ok) return row;
    return row.value === null ? err("not_found", "There is no such tenant.") : ok(viewOf(row.value));
  }

  async hasLiveKeys(id: string): Promise<Result<boolean>> {
    const row = await askD1(this.#database.prepare(`${LIVE_KEYS} LIMIT 1`).bind(id, systemClock.now()).first());
    return row.ok ? ok(row.value !== null) : row;
  }

  /** Removes the tenant with its dead keys and its credentials; false when it has live ones. */
  async remove(id: string): Promise<Result<boolean>> {
    const removed = await askD1(
      this.#database.batch([
        this.#database.prepare(REMOVE).bind(id, id, systemClock.now()),
        this.#database.prepare(REMOVE_KEYS).bind(id),
        this.#database.prepare(REMOVE_CREDENTIALS).bind(id),
      ]),
    );
    return removed.ok ? ok((removed.value[0]?.meta.changes ?? 0) > 0) : removed;
  }

  /** Lets Workers know that the core limits this tenant's requests. `seq` is the core's log entry that says so. */
  async limitRequests(id: string, requestsPerMinute: number | null, seq: number): Promise<Result<unknown>> {
    return askD1(this.#database.prepare(LIMIT_REQUESTS).bind(requestsPerMinute, seq, id, seq).run());
  }
}

function viewOf(row: Row): TenantView {
  return { id: row.id, name: row.name, createdAt: new Date(row.created_at).toISOString() };
}
