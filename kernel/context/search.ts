import { LIMITS } from "../limits.ts";
import type { PageIndex } from "./page-index.ts";
import type { PageRow, PageTable } from "./page-table.ts";
import { queryTerms } from "./query.ts";

/** Finds pages of all tiers by their words: BM25 over the terms of a question, rare words first. */

export interface Found {
  row: PageRow;
  score: number;
}

export class Search {
  readonly #table: PageTable;
  readonly #index: PageIndex;

  constructor(table: PageTable, index: PageIndex) {
    this.#table = table;
    this.#index = index;
  }

  /** The best pages for `query` that `wanted` lets pass, best first. */
  find(query: string, limit: number, wanted: (row: PageRow) => boolean = () => true): Found[] {
    const totals = new Map<number, number>();
    for (const { term, weight } of queryTerms(query.slice(0, LIMITS.queryChars), this.#index.words)) {
      for (const [ordinal, score] of this.#index.scores(term))
        totals.set(ordinal, (totals.get(ordinal) ?? 0) + weight * score);
    }
    const found: Found[] = [];
    for (const [ordinal, score] of [...totals].sort((a, b) => b[1] - a[1] || a[0] - b[0])) {
      if (found.length >= limit) break;
      const row = this.#table.byOrdinal(ordinal);
      if (row !== undefined && wanted(row)) found.push({ row, score });
    }
    return found;
  }
}
