import type * as z from "zod";
import { LIMITS } from "../../limits.ts";
import type { Clock } from "../../ports.ts";
import type { CachedReply } from "./cached-reply.ts";
import { MemoryReplies } from "./memory-replies.ts";
import { SingleFlight } from "./single-flight.ts";

/** The level that all isolates share: texts by key, gone after a while. It may lose what it likes. */
export interface SharedReplies {
  get(key: string): Promise<string | null>;
  put(key: string, text: string, ttlMs: number): Promise<void>;
}

/** Where a reply was found. */
export type CacheLevel = "memory" | "shared";

/**
 * Replies that may be given again, in levels: this isolate's memory, then what all isolates share. The vendor's own prefix
 * cache is the level below, and stable prompts keep that one warm. A level that fails is a level that has nothing.
 */
export class ReplyCache<Reply> {
  readonly flights = new SingleFlight<CachedReply<Reply>>(LIMITS.cacheFlightMs);
  readonly #schema: z.ZodType<CachedReply<Reply>>;
  readonly #memory: MemoryReplies<CachedReply<Reply>>;

  /** `schema` reads what is shared. */
  constructor(clock: Clock, schema: z.ZodType<CachedReply<Reply>>) {
    this.#schema = schema;
    this.#memory = new MemoryReplies(clock, { maxBytes: LIMITS.cacheMemoryBytes, ttlMs: LIMITS.cacheTtlMs });
  }

  async get(key: string, shared: SharedReplies): Promise<{ found: CachedReply<Reply>; level: CacheLevel } | null> {
    const here = this.#memory.get(key);
    if (here !== null) return { found: here, level: "memory" };
    const text = await shared.get(key).catch(() => null);
    const found = text === null ? null : this.#parsed(text);
    if (text === null || found === null) return null;
    this.#memory.put(key, found, text);
    return { found, level: "shared" };
  }

  /** Resolves when both levels have it, or have said that they do not take it. */
  async put(key: string, entry: CachedReply<Reply>, shared: SharedReplies): Promise<void> {
    const text = JSON.stringify(entry);
    if (text.length > LIMITS.cacheReplyChars) return;
    this.#memory.put(key, entry, text);
    await shared.put(key, text, LIMITS.cacheTtlMs).catch(() => undefined);
  }

  /** The entry is from before a purge. */
  forget(key: string): void {
    this.#memory.delete(key);
  }

  #parsed(text: string): CachedReply<Reply> | null {
    try {
      return this.#schema.safeParse(JSON.parse(text)).data ?? null;
    } catch {
      return null;
    }
  }
}
