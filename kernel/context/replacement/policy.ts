import type { PageRow } from "../page-table.ts";

/** What a replacement policy knows of a page, or of a history entry, which leaves as a whole. */
export type Candidate = Pick<PageRow, "kind" | "used_at" | "importance" | "tokens" | "bytes" | "ordinal">;

/** Decides who leaves first. Which pages may leave at all, and how many, is not its business. */
export interface ReplacementPolicy {
  readonly name: string;
  /** The candidates, best victim first. Pure: the same table gives the same order. */
  order<T extends Candidate>(candidates: readonly T[]): T[];
}
