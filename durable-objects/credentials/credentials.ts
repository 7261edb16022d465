import { ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Listing, ListOptions } from "../agent/rpc.ts";
import { askD1 } from "../d1/ask-d1.ts";
import { systemClock } from "../ports.ts";
import type { Sealed, SecretBox } from "./secret-box.ts";

/**
 * The credentials of all tenants, in D1. Nothing of them is cached anywhere: whoever uses one reads its row, so a credential
 * that is gone or replaced is so for the next request of any process.
 */

/** A credential as its operator sees it: nothing of the secret. */
export interface CredentialView {
  name: string;
  hosts: string[];
  version: number;
  fingerprint: string;
  createdAt: string;
  lastUsedAt: string | null;
}

export interface CredentialRow {
  id: string;
  tenant: string;
  name: string;
  version: number;
  /** A JSON array. */
  hosts: string;
  keyId: string;
  sealed: string;
  fingerprint: string;
  createdAt: number;
  lastUsedAt: number | null;
}

/** A row, unless the tenant has its fill of others; in the place of the one of its name. Ends in a WHERE clause. */
export const SET = `INSERT OR REPLACE INTO credentials
    (id, tenant, name, version, hosts, key_id, sealed, fingerprint, created_at)
  SELECT ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE (SELECT COUNT(*) FROM credentials WHERE tenant = ? AND name <> ?) < ?`;
const COLUMNS = `id, tenant, name, version, hosts, key_id AS keyId, sealed, fingerprint, created_at AS createdAt,
  last_used_at AS lastUsedAt`;
const FIND = `SELECT ${COLUMNS} FROM credentials WHERE tenant = ? AND name = ?`;
const LIST = `SELECT ${COLUMNS} FROM credentials WHERE tenant = ? AND name > ? ORDER BY name LIMIT ?`;
const LIST_STALE = `SELECT ${COLUMNS} FROM credentials WHERE tenant = ? AND key_id <> ? ORDER BY name LIMIT ?`;
const REMOVE = "DELETE FROM credentials WHERE tenant = ? AND name = ?";
/** Only what was read is sealed anew: by its id it is the same version, by its key the same seal. */
const RESEAL = "UPDATE credentials SET key_id = ?, sealed = ? WHERE id = ? AND key_id = ?";
const USE = "UPDATE credentials SET last_used_at = ? WHERE id = ?";

export class Credentials {
  readonly #database: D1Database;

  constructor(database: D1Database) {
    this.#database = database;
  }

  async find(tenant: string, name: string): Promise<Result<CredentialRow | null>> {
    return askD1(this.#database.prepare(FIND).bind(tenant, name).first<CredentialRow>());
  }

  /** The tenant's, by name. */
  async list(tenant: string, { cursor = "", limit }: ListOptions): Promise<Result<Listing<CredentialView>>> {
    const rows = await askD1(
      this.#database
        .prepare(LIST)
        .bind(tenant, cursor, limit + 1)
        .all<CredentialRow>(),
    );
    if (!rows.ok) return rows;
    const items = rows.value.results.slice(0, limit).map(viewOf);
    return ok({ items, nextCursor: rows.value.results.length > limit ? (items.at(-1)?.name ?? null) : null });
  }

  async remove(tenant: string, name: string): Promise<Result<unknown>> {
    return askD1(this.#database.prepare(REMOVE).bind(tenant, name).run());
  }

  /** Seals under the present key what another has sealed, and counts what no key at hand opens. */
  async resealAll(tenant: string, box: SecretBox): Promise<Result<{ resealed: number; lost: number }>> {
    const statement = this.#database.prepare(LIST_STALE).bind(tenant, box.keyId, LIMITS.credentialsMax);
    const stale = await askD1(statement.all<CredentialRow>());
    if (!stale.ok) return stale;
    const opened = stale.value.results.map((row) => ({ row, text: box.open(row, row) }));
    for (const { row, text } of opened) {
      if (text === null) continue;
      const done = await this.reseal(row, box.seal(row, text));
      if (!done.ok) return done;
    }
    const lost = opened.filter(({ text }) => text === null).length;
    return ok({ resealed: opened.length - lost, lost });
  }

  async reseal({ id, keyId: before }: CredentialRow, { keyId, sealed }: Sealed): Promise<Result<unknown>> {
    return askD1(this.#database.prepare(RESEAL).bind(keyId, sealed, id, before).run());
  }

  async noteUse({ id, lastUsedAt }: CredentialRow): Promise<void> {
    const now = systemClock.now();
    if ((lastUsedAt ?? 0) > now - LIMITS.keyUseMs) return;
    await askD1(this.#database.prepare(USE).bind(now, id).run());
  }
}

/** What stands in a row of it, as `SET` takes it. */
export function valuesOf(row: CredentialRow): (string | number)[] {
  const { id, tenant, name, version, hosts, keyId, sealed, fingerprint, createdAt } = row;
  const own = [id, tenant, name, version, hosts, keyId, sealed, fingerprint, createdAt];
  return [...own, tenant, name, LIMITS.credentialsMax];
}

export function viewOf(row: CredentialRow): CredentialView {
  const { name, version, fingerprint, createdAt, lastUsedAt } = row;
  const times = {
    createdAt: new Date(createdAt).toISOString(),
    lastUsedAt: lastUsedAt === null ? null : new Date(lastUsedAt).toISOString(),
  };
  return { name, hosts: JSON.parse(row.hosts) as string[], version, fingerprint, ...times };
}
