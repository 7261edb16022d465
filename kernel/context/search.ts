import { LIMITS } from "../limits.ts";
import type { PageKind } from "./page.ts";
import type { PageIndex, Scores } from "./page-index.ts";
import type { PageReader } from "./page-reader.ts";
import type { PageRow, PageTable } from "./page-table.ts";
import { bestPassage, type Passage } from "./passage.ts";
import { parseQuery, type Query } from "./query.ts";

/**
 * Finds pages of all tiers by words. First BM25 over the index, rare terms first and common ones only as far as they are
 * cheap; then the best pages are read, and ranked anew by their best passage and by whether it can be an answer.
 */

export interface Found {
  row: PageRow;
  score: number;
  /** Null when it could not be read in time. */
  content: string | null;
  passage: Passage | null;
}

/** What holds the question's words and the kind of thing that it asks for weighs so much more. */
const ANSWERS = 1.3;
/** What the prompt showed once repeats other pages' words: the page itself comes first. */
const PRIOR: Partial<Record<PageKind, number>> = { exchange: 0.5, message: 0.7, reply: 0.8 };
/** A word that no page has: pages with words that begin alike count this much instead. */
const RELATIVE = 0.5;
const RELATIVE_STEM_SHARE = 0.7;
const RELATIVE_STEM_CHARS = 4;

type Weighed = { term: string; weight: number; pages: number };

export interface SearchParts {
  readonly table: PageTable;
  readonly index: PageIndex;
  readonly reader: PageReader;
}

export class Search {
  readonly #parts: SearchParts;

  constructor(parts: SearchParts) {
    this.#parts = parts;
  }

  /** The best pages for `text` that `wanted` lets pass, best first. Changes nothing. */
  async find(text: string, limit: number, wanted: (row: PageRow) => boolean): Promise<Found[]> {
    const query = parseQuery(text.slice(0, LIMITS.queryChars), this.#parts.index.words);
    const terms = this.#weigh(query);
    const candidates = this.#candidates(terms, Math.max(limit, LIMITS.rerankPages), wanted);
    const reread = candidates.slice(0, LIMITS.rerankPages);
    const contents = await this.#parts.reader.readAll(
      reread.map(({ row }) => row),
      LIMITS.rerankMs,
    );
    const total = this.#parts.index.pages();
    const weights = new Map(terms.map(({ term, weight, pages }) => [term, weight * inverse(pages, total)]));
    const read = candidates.map(({ row, score }): Found => {
      const content = contents.get(row.ordinal) ?? null;
      const passage = content === null ? null : bestPassage(content, query, this.#parts.index.words, weights);
      return {
        row,
        content,
        passage,
        score: (score + (passage?.score ?? 0)) * (passage?.answers === true ? ANSWERS : 1),
      };
    });
    return distinctFirst(read.sort((a, b) => b.score - a.score || a.row.ordinal - b.row.ordinal)).slice(0, limit);
  }

  /** The terms that are indexed, rarest first. */
  #weigh(query: Query): Weighed[] {
    const { index } = this.#parts;
    const terms = query.terms.flatMap(({ term, weight }): Weighed[] => {
      const pages = index.frequency(term);
      if (pages > 0) return [{ term, weight, pages }];
      return weight < 1 ? [] : relativesOf(term, index).map((found) => ({ ...found, weight: weight * RELATIVE }));
    });
    return terms.sort((a, b) => a.pages - b.pages);
  }

  #candidates(
    terms: readonly Weighed[],
    count: number,
    wanted: (row: PageRow) => boolean,
  ): { row: PageRow; score: number }[] {
    const totals: Scores = new Map();
    let postings = 0;
    for (const { term, weight, pages } of terms) {
      const affordable = postings + pages <= LIMITS.searchPostings;
      if (!affordable && totals.size >= count && (weight < 1 || pages > LIMITS.searchPostings)) continue;
      const scores = affordable
        ? this.#parts.index.scores(term)
        : this.#parts.index.bestScores(term, LIMITS.searchBest);
      postings += scores.size;
      for (const [ordinal, score] of scores) totals.set(ordinal, (totals.get(ordinal) ?? 0) + weight * score);
    }
    const found: { row: PageRow; score: number }[] = [];
    for (const [ordinal, score] of [...totals].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, LIMITS.searchRows)) {
      const row = this.#parts.table.byOrdinal(ordinal);
      if (row !== undefined && wanted(row)) found.push({ row, score: score * (PRIOR[row.kind] ?? 1) });
      if (found.length >= count) break;
    }
    return found.sort((a, b) => b.score - a.score);
  }
}

/** Pages that only repeat what a better one says come after all others. */
function distinctFirst(found: readonly Found[]): Found[] {
  const said = new Set<string>();
  const [first, repeats]: [Found[], Found[]] = [[], []];
  for (const page of found) {
    const says = page.passage?.says ?? "";
    (says !== "" && said.has(says) ? repeats : first).push(page);
    said.add(says);
  }
  return [...first, ...repeats];
}

/** How much the rarity of a term says. */
function inverse(pages: number, total: number): number {
  return Math.log(1 + (total - pages + 0.5) / (pages + 0.5));
}

function relativesOf(term: string, index: PageIndex): { term: string; pages: number }[] {
  if (!/^[a-z]+$/.test(term)) return [];
  const prefix = term.slice(0, Math.max(RELATIVE_STEM_CHARS, Math.floor(term.length * RELATIVE_STEM_SHARE)));
  const relatives = index.relatives(prefix, LIMITS.searchRelatives);
  return relatives
    .filter((found) => found.term.length <= term.length + RELATIVE_STEM_CHARS)
    .map(({ term: found, doc }) => ({ term: found, pages: doc }));
}
