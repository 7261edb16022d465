import { LIMITS } from "../limits.ts";
import type { PageIndex, Scores } from "./page-index.ts";

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
  readonly #rare = new Map<string, Scores>();
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
    const frequency = rare ? this.#rareScores(term, pages).size : pages;
    this.#frequencies.set(term, frequency);
    return frequency;
  }

  /** How much it says that a page has `term`. */
  rarity(term: string): number {
    return inverse(this.frequency(term), this.#total);
  }

  scores(term: string): Scores {
    return this.#rare.get(term) ?? this.#weighed(term, this.#index.scores(term));
  }

  /** Of a common term, its best pages only. */
  bestScores(term: string): Scores {
    return this.#rare.get(term) ?? this.#weighed(term, this.#index.bestScores(term, LIMITS.searchBest));
  }

  /** Indexed terms that begin so. */
  relatives(prefix: string): string[] {
    return this.#index.relatives(prefix, LIMITS.searchRelatives).map(({ term }) => term);
  }

  #rareScores(term: string, pages: number): Scores {
    const found: Scores = new Map([...this.#index.scores(term)].filter(([ordinal]) => this.#isWanted(ordinal)));
    const scores = scaled(found, inverse(found.size, this.#total) / indexed(pages, this.#total));
    this.#rare.set(term, scores);
    return scores;
  }

  /** BM25 as the index has it, with `inverse` in the place of its own rarity. */
  #weighed(term: string, scores: Scores): Scores {
    const pages = this.#index.frequency(term);
    const common = pages > COMMON_SHARE * this.#total;
    const unit = common ? Math.max(...scores.values()) / BEST_FREQUENCY : indexed(pages, this.#total);
    return scaled(scores, inverse(pages, this.#total) / unit);
  }
}

function scaled(scores: Scores, factor: number): Scores {
  return new Map([...scores].map(([ordinal, score]) => [ordinal, score * factor]));
}

/** The rarity that FTS5 multiplies by: next to nothing for what half of all pages have. */
function indexed(pages: number, total: number): number {
  return Math.log((total - pages + 0.5) / (pages + 0.5));
}

function inverse(pages: number, total: number): number {
  return Math.log(1 + (total - pages + 0.5) / (pages + 0.5));
}
