import { LIMITS } from "../limits.ts";
import { Candidates, type Scores } from "./candidates.ts";
import type { PageKind } from "./page.ts";
import type { PageIndex } from "./page-index.ts";
import type { PageReader } from "./page-reader.ts";
import type { PageRow, PageTable } from "./page-table.ts";
import { bestPassage, type Passage, type WordWeights } from "./passage.ts";
import { parseQuery, type Query } from "./query.ts";
import { tempered } from "./tempered.ts";
import { TermScores } from "./term-scores.ts";

/**
 * Finds pages of all tiers by words, and by words that stand for them. First the index alone; then the best pages are read,
 * for the passage that has most to do with the question and for whether it can be an answer.
 */

export interface Found {
  row: PageRow;
  score: number;
  /** Null when it could not be read in time. */
  content: string | null;
  passage: Passage | null;
}

/** What holds the question's words and the kind of thing that it asks for weighs so much more. */
const ANSWERS = 1.15;
/** A text speaks of one thing over several pages: this part of the better neighbour's score counts for a page too. */
const NEIGHBOUR = 0.15;
/** What the prompt showed once repeats other pages' words: the page itself comes first. */
const PRIOR: Partial<Record<PageKind, number>> = { exchange: 0.5, message: 0.7, reply: 0.8 };

type Candidate = { row: PageRow; score: number };

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
    const terms = new TermScores(this.#parts.index, (ordinal) => this.#isWanted(ordinal, wanted));
    const query = tempered(parseQuery(text.slice(0, LIMITS.queryChars), this.#parts.index.words), terms);
    const count = Math.max(limit, LIMITS.rerankPages);
    const candidates = this.#best(new Candidates(terms).scores(query.concepts, count), count, wanted);
    const contents = await this.#parts.reader.readAll(
      candidates.slice(0, LIMITS.rerankPages).map(({ row }) => row),
      LIMITS.rerankMs,
    );
    const weights = weightsOf(query, terms);
    const read = candidates.map(({ row, score }): Found => {
      const content = contents.get(row.ordinal) ?? null;
      const passage = content === null ? null : bestPassage(content, query, this.#parts.index.words, weights);
      return { row, content, passage, score: score * (passage?.answers === true ? ANSWERS : 1) };
    });
    return distinctFirst(read.sort(byScore)).slice(0, limit);
  }

  #best(scores: Scores, count: number, wanted: (row: PageRow) => boolean): Candidate[] {
    const found: Candidate[] = [];
    for (const [ordinal, score] of highest(scores, LIMITS.searchRows)) {
      const row = this.#parts.table.byOrdinal(ordinal);
      if (row !== undefined && wanted(row)) found.push({ row, score: score * (PRIOR[row.kind] ?? 1) });
      if (found.length >= count) break;
    }
    return found
      .map(({ row, score }) => ({ row, score: score + NEIGHBOUR * this.#neighbour(row, scores) }))
      .sort(byScore);
  }

  /** The better score of the pages right before and after in the same text. */
  #neighbour(row: PageRow, scores: Scores): number {
    if (row.kind !== "document") return 0;
    const beside = [row.ordinal - 1, row.ordinal + 1].filter((ordinal) => {
      const other = scores.has(ordinal) ? this.#parts.table.byOrdinal(ordinal) : undefined;
      return other?.kind === "document" && other.source === row.source;
    });
    return Math.max(0, ...beside.map((ordinal) => scores.get(ordinal) ?? 0));
  }

  #isWanted(ordinal: number, wanted: (row: PageRow) => boolean): boolean {
    const row = this.#parts.table.byOrdinal(ordinal);
    return row !== undefined && wanted(row);
  }
}

/** What each word of the query, or one that stands for it, says about a passage that has it. */
function weightsOf({ concepts }: Query, scores: TermScores): WordWeights {
  const rarity = (terms: readonly string[]) =>
    terms.reduce((sum, term) => sum + scores.rarity(term), 0) / Math.sqrt(terms.length);
  const words = concepts.flatMap(({ weight, forms }, concept) =>
    forms.map(({ word, terms, weight: share }) => ({ word, concept, weight: weight * share * rarity(terms) })),
  );
  const ascending = words.sort((a, b) => a.weight - b.weight);
  return new Map(ascending.map(({ word, concept, weight }) => [word, { concept, weight }]));
}

function byScore(a: Candidate, b: Candidate): number {
  return b.score - a.score || a.row.ordinal - b.row.ordinal;
}

/** The first `count` in descending order, without sorting all of many thousands. */
function highest(scores: Scores, count: number): [ordinal: number, score: number][] {
  const least = Float64Array.from(scores.values()).sort().at(-count) ?? 0;
  const high = [...scores].filter(([, score]) => score >= least);
  return high.sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, count);
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
