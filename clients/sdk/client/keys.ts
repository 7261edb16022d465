import { everyItem } from "./listing.ts";
import type { Transport } from "./transport.ts";

/** What a key may do: read and watch; also act; also hand out keys and set quotas of its tenant. */
export type KeyRole = "viewer" | "operator" | "admin";

/** A key as its admin sees it. Instants are RFC 3339. */
export interface KeyInfo {
  id: string;
  tenantId: string;
  role: KeyRole;
  name: string;
  createdAt: string;
  /** Null = never. */
  expiresAt: string | null;
  revokedAt: string | null;
  /** To the hour. */
  lastUsedAt: string | null;
  /** Null = no limit. */
  requestsPerMinute: number | null;
  /** What of its role it may use, e.g. `agents:read` or `llm`; null = everything. */
  scopes: string[] | null;
  /** The key that `rotate` made in its place. */
  replacedBy: string | null;
}

/** A new key. `key` is shown this once. */
export interface IssuedKey extends KeyInfo {
  key: string;
}

export interface KeySpec {
  role: KeyRole;
  /** The caller's tenant when absent; only the bootstrap key may name another. */
  tenantId?: string;
  name?: string;
  /** RFC 3339. */
  expiresAt?: string;
  requestsPerMinute?: number;
  /** What of its role it may use; everything when absent. */
  scopes?: string[];
}

/** Routes for keys. They need an admin's key; any other gets `forbidden`. */
export class Keys {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `POST /v1/keys`. Keep `key` of the answer: nobody can show it again. */
  create(spec: KeySpec, options: { idempotencyKey?: string } = {}): Promise<IssuedKey> {
    const idempotencyKey = options.idempotencyKey ?? true;
    return this.#transport.json("/v1/keys", { method: "POST", body: spec, idempotencyKey });
  }

  /** `GET /v1/keys`: every key that the caller administers, revoked ones included, the oldest first. */
  list(options: { tenantId?: string } = {}): AsyncGenerator<KeyInfo> {
    return everyItem(this.#transport, "/v1/keys", { ...options });
  }

  /**
   * `POST /v1/keys/{id}/rotate`: a key that does the same, while the old one works on for `overlapSeconds`. With 0, the
   * default, it answers after five seconds, when the old one opens nothing any more.
   */
  rotate(keyId: string, options: { overlapSeconds?: number; idempotencyKey?: string } = {}): Promise<IssuedKey> {
    const { overlapSeconds = 0, idempotencyKey = true } = options;
    const path = `/v1/keys/${encodeURIComponent(keyId)}/rotate`;
    return this.#transport.json(path, { method: "POST", body: { overlapSeconds }, idempotencyKey });
  }

  /** `DELETE /v1/keys/{id}`: answers after five seconds, when the key opens nothing any more. */
  async revoke(keyId: string): Promise<void> {
    await this.#transport.json(`/v1/keys/${encodeURIComponent(keyId)}`, { method: "DELETE" });
  }
}
