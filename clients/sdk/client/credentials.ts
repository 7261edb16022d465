import { everyItem } from "./listing.ts";
import type { Transport } from "./transport.ts";

/** A stored secret, without the secret. Instants are RFC 3339. */
export interface CredentialInfo {
  name: string;
  /** `host`, `host:port` or `*.host`: it is sent to these and to no other. */
  hosts: string[];
  /** Counts how often it was stored. */
  version: number;
  /** Tells one value from another, and nothing of either. */
  fingerprint: string;
  createdAt: string;
  /** To the hour. */
  lastUsedAt: string | null;
}

/** Either `value`, sent as `Authorization: Bearer <value>`, or `headers`, sent as they are. At least 8 characters each. */
export type CredentialSpec = { name: string; hosts: string[] } & (
  | { value: string; headers?: undefined }
  | { headers: Record<string, string>; value?: undefined }
);

/** Secrets for hosts outside. They need an operator's key; processes use them by name when granted (`grants.credentials`). */
export class Credentials {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `POST /v1/credentials`: in the place of the one of this name. `unavailable` where the kernel has no AOS_SECRETS_KEY. */
  store(spec: CredentialSpec, options: { idempotencyKey?: string } = {}): Promise<CredentialInfo> {
    const idempotencyKey = options.idempotencyKey ?? true;
    return this.#transport.json("/v1/credentials", { method: "POST", body: spec, idempotencyKey });
  }

  /** `GET /v1/credentials`, by name. */
  list(): AsyncGenerator<CredentialInfo> {
    return everyItem(this.#transport, "/v1/credentials", {});
  }

  /** `DELETE /v1/credentials/{name}`: requests that begin after it carry it no more; others end within 30 seconds. */
  async remove(name: string): Promise<void> {
    await this.#transport.json(`/v1/credentials/${encodeURIComponent(name)}`, { method: "DELETE" });
  }

  /** `POST /v1/credentials/reseal`: seals all under the present AOS_SECRETS_KEY. `lost` = neither key opens them. */
  reseal(): Promise<{ resealed: number; lost: number }> {
    return this.#transport.json("/v1/credentials/reseal", { method: "POST" });
  }
}
