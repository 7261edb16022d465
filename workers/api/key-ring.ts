import { timingSafeEqual } from "node:crypto";
import { ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Clock } from "../../kernel/ports.ts";
import { hashOfKey, isKeyShaped, type KeyFacts, Keys } from "./registry/keys.ts";

/**
 * What this isolate has read of keys, so that not every request asks D1. An entry is trusted for `LIMITS.keyCacheMs` from
 * before it was read, and revoking a key takes longer than that; so a revocation that was answered holds everywhere.
 * Only keys that exist are kept, and only so many.
 */
export class KeyRing {
  readonly #clock: Clock;
  /** By hash, the oldest first. */
  readonly #entries = new Map<string, { facts: KeyFacts; until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is known of `key`; null when it is unknown, revoked or expired. `later` outlives the request. */
  async find(
    key: string,
    database: D1Database,
    later: (work: Promise<void>) => void,
  ): Promise<Result<KeyFacts | null>> {
    if (!isKeyShaped(key)) return ok(null);
    const hash = hashOfKey(key);
    const found = this.#recall(hash) ?? (await this.#read(hash, new Keys(database), later));
    if (!found.ok || found.value === null) return found;
    const { sha256, expiresAt } = found.value;
    const isIt = timingSafeEqual(Buffer.from(sha256, "hex"), hash);
    return ok(isIt && (expiresAt === null || expiresAt > this.#clock.now()) ? found.value : null);
  }

  #recall(hash: Buffer): Result<KeyFacts> | null {
    const entry = this.#entries.get(hash.toString("hex"));
    return entry !== undefined && entry.until > this.#clock.now() ? ok(entry.facts) : null;
  }

  async #read(hash: Buffer, keys: Keys, later: (work: Promise<void>) => void): Promise<Result<KeyFacts | null>> {
    const readAt = this.#clock.now();
    const found = await keys.find(hash.toString("hex"));
    if (!found.ok || found.value === null) return found;
    this.#keep(hash.toString("hex"), found.value, readAt + LIMITS.keyCacheMs);
    if ((found.value.lastUsedAt ?? 0) <= readAt - LIMITS.keyUseMs) later(keys.noteUse(found.value.id));
    return found;
  }

  #keep(hash: string, facts: KeyFacts, until: number): void {
    this.#entries.delete(hash);
    this.#entries.set(hash, { facts, until });
    if (this.#entries.size <= LIMITS.keyCacheEntries) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }
}
