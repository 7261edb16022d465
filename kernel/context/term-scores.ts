import { LIMITS } from "../limits.ts";
import type { PageIndex, Scores } from "./page-index.ts";

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
    return this.#rare.get(term) ?? this.#index.scores(term);
  }

  /** Of a common term, its best pages only. */
  bestScores(term: string): Scores {
    return this.#rare.get(term) ?? this.#index.bestScores(term, LIMITS.searchBest);
  }

  /** Indexed terms that begin so. */
  relatives(prefix: string): string[] {
    return this.#index.relatives(prefix, LIMITS.searchRelatives).map(({ term }) => term);
  }

  #rareScores(term: string, pages: number): Scores {
    const found = [...this.#index.scores(term)].filter(([ordinal]) => this.#isWanted(ordinal));
    const share = inverse(found.length, this.#total) / inverse(pages, this.#total);
    const scores: Scores = new Map(found.map(([ordinal, score]) => [ordinal, score * share]));
    this.#rare.set(term, scores);
    return scores;
  }
}

function inverse(pages: number, total: number): number {
  return Math.log(1 + (total - pages + 0.5) / (pages + 0.5));
}
