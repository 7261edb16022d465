import { LIMITS } from "../limits.ts";
import type { Hit, PageIndex } from "./page-index.ts";

/** FTS5's own rarity of more common terms is too near to zero to divide by: their best page tells the unit. */
const COMMON_SHARE = 0.4;
/** What BM25 makes of how often a term stands in its best page, of 2.2 at most. */
const BEST_FREQUENCY = 1.9;

/**
 * BM25 by term for one search, which wants some pages only. The index knows rarity over all pages, and the question itself
 * is one of them: a word that no other page has would be found there, and a rare one would count as half as rare. So pages of
 * rare terms are looked at one by one, and the unwanted ones are neither counted nor found.
 */
export class TermScores {
  readonly #index: PageIndex;
  readonly #isWanted: (ordinal: number) => boolean;
  readonly #rare = new Map<string, readonly Hit[]>();
  readonly #frequencies = new Map<string, number>();
  readonly #total: number;

  constructor(index: PageIndex, isWanted: (ordinal: number) => boolean) {
    this.#index = index;
    this.#isWanted = isWanted;
    this.#total = index.pages();
  }

  /** In how many pages `term` stands; of a rare term only wanted pages count. */
  frequency(term: string): number {
    const known = this.#frequencies.get(term);
    if (known !== undefined) return known;
    const pages = this.#index.frequency(term);
    const rare = pages > 0 && pages <= LIMITS.searchRarePages;
    const frequency = rare ? this.#rareHits(term, pages).length : pages;
    this.#frequencies.set(term, frequency);
    return frequency;
  }

  /** How much it says that a page has `term`. */
  rarity(term: string): number {
    return inverse(this.frequency(term), this.#total);
  }

  hits(term: string): readonly Hit[] {
    return this.#rare.get(term) ?? this.#weighed(this.#index.hits(term), this.frequency(term), this.frequency(term));
  }

  /** Of a common term, its best pages only. */
  bestHits(term: string): readonly Hit[] {
    const best = () => this.#index.bestHits(term, LIMITS.searchBest);
    return this.#rare.get(term) ?? this.#weighed(best(), this.frequency(term), this.frequency(term));
  }

  /** Indexed terms that begin so. */
  relatives(prefix: string): string[] {
    return this.#index.relatives(prefix, LIMITS.searchRelatives).map(({ term }) => term);
  }

  #rareHits(term: string, pages: number): readonly Hit[] {
    const found = this.#index.hits(term).filter(({ ordinal }) => this.#isWanted(ordinal));
    const hits = this.#weighed(found, pages, found.length);
    this.#rare.set(term, hits);
    return hits;
  }

  /** With the rarity of what stands in `wanted` pages in the place of the index's own, of `pages`. */
  #weighed(hits: readonly Hit[], pages: number, wanted: number): readonly Hit[] {
    const unit =
      pages > COMMON_SHARE * this.#total
        ? hits.reduce((best, { score }) => Math.max(best, score), 0) / BEST_FREQUENCY
        : indexed(pages, this.#total);
    const factor = inverse(wanted, this.#total) / unit;
    return hits.map(({ ordinal, score }) => ({ ordinal, score: score * factor }));
  }
}

/** The rarity that FTS5 multiplies by: next to nothing for what half of all pages have. */
function indexed(pages: number, total: number): number {
  return Math.log((total - pages + 0.5) / (pages + 0.5));
}

function inverse(pages: number, total: number): number {
  return Math.log(1 + (total - pages + 0.5) / (pages + 0.5));
}
