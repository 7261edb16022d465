import type { Candidate, ReplacementPolicy } from "./policy.ts";

/** Least recently used first, by the logical clock; of one use, the oldest page. */
export const lru: ReplacementPolicy = {
  name: "lru",
  order: <T extends Candidate>(candidates: readonly T[]) =>
    candidates.toSorted((a, b) => a.used_at - b.used_at || a.ordinal - b.ordinal),
};
