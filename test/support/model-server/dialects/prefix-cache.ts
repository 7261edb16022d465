import { createHash } from "node:crypto";
import type { WireRequest } from "../scripted-model.ts";

/**
 * A vendor's prefix cache: prompts are kept in blocks of so many tokens, and the blocks from the beginning of a prompt that
 * were seen before are hits. One a server; `owner` keeps those of different users apart.
 */
export class PrefixCache {
  readonly #blockBytes: number;
  readonly #blockTokens: number;
  readonly #leastTokens: number;
  readonly #seen = new Set<string>();

  /** Four bytes count as one token, as everywhere in this server. `leastTokens`: fewer hits count as none. */
  constructor(blockTokens: number, leastTokens = blockTokens) {
    this.#blockBytes = blockTokens * 4;
    this.#blockTokens = blockTokens;
    this.#leastTokens = leastTokens;
  }

  /** Tokens of hits, at most `promptTokens`; the rest are misses. Remembers the prompt. */
  hits(owner: string, { tools, messages }: WireRequest, promptTokens: number): number {
    const bytes = Buffer.from(JSON.stringify([tools ?? [], messages]).slice(0, -2));
    const hash = createHash("sha256").update(owner);
    let hits = 0;
    let unbroken = true;
    for (let at = 0; at + this.#blockBytes <= bytes.length; at += this.#blockBytes) {
      // The hash goes on over the blocks, so a key stands for the whole prefix.
      const key = hash
        .update(bytes.subarray(at, at + this.#blockBytes))
        .copy()
        .digest("hex");
      unbroken &&= this.#seen.has(key);
      if (unbroken) hits += this.#blockTokens;
      this.#seen.add(key);
    }
    return hits < this.#leastTokens ? 0 : Math.min(hits, promptTokens);
  }
}
