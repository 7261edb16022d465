import type { Sql } from "../ports.ts";
import { Words } from "./words.ts";

/**
 * The text index over pages of all tiers, so that a cold page is found without reading it: an FTS5 table without content,
 * fed with terms that `Words` made. Terms of the headings above a page and of its source stand in a second column.
 */

const ADD = "INSERT INTO page_index (rowid, body, heading) VALUES (?, ?, ?)";
const REMOVE = "DELETE FROM page_index WHERE rowid = ?";
const FREQUENCY = "SELECT doc FROM page_terms WHERE term = ?";
const RELATIVES = "SELECT term, doc FROM page_terms WHERE term >= ? AND term < ? LIMIT ?";
const COUNT = "SELECT count(*) AS n FROM pages";
const HITS = "SELECT rowid AS ordinal, -bm25(page_index, 1.0, 0.5) AS score FROM page_index WHERE page_index MATCH ?";
const BEST = `${HITS} ORDER BY rank LIMIT ?`;

/** BM25 of one term in one page, higher is better. */
export interface Hit {
  ordinal: number;
  score: number;
}

const UNINDEXED = `SELECT ordinal, source, content FROM pages WHERE ordinal > ? AND content IS NOT NULL
  AND kind NOT IN ('instructions', 'goal', 'exchange') ORDER BY ordinal LIMIT ?`;
const FILL_ROWS = 64;

/**
 * Indexes pages that were laid before there was an index. Cold ones are not in this object and stay out of it: they are found
 * by their place in the page table, and by search once they are written anew.
 */
export function indexPages(sql: Sql): void {
  const index = new PageIndex(sql);
  type Unindexed = { ordinal: number; source: string; content: string };
  let rows = sql.all<Unindexed>(UNINDEXED, 0, FILL_ROWS);
  while (rows.length > 0) {
    for (const { ordinal, content, source } of rows) index.add(ordinal, content, source);
    rows = sql.all<Unindexed>(UNINDEXED, rows.at(-1)?.ordinal ?? 0, FILL_ROWS);
  }
}

export class PageIndex {
  readonly #sql: Sql;
  readonly words = new Words();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  add(ordinal: number, content: string, heading: string): void {
    this.#sql.run(ADD, ordinal, this.words.termsOf(content).join(" "), this.words.termsOf(heading).join(" "));
  }

  remove(ordinal: number): void {
    this.#sql.run(REMOVE, ordinal);
  }

  /** In how many pages `term` stands. */
  frequency(term: string): number {
    return this.#sql.first<{ doc: number }>(FREQUENCY, term)?.doc ?? 0;
  }

  /** Indexed terms that begin so. */
  relatives(prefix: string, limit: number): { term: string; doc: number }[] {
    return this.#sql.all<{ term: string; doc: number }>(RELATIVES, prefix, `${prefix}\u{10ffff}`, limit);
  }

  pages(): number {
    return this.#sql.first<{ n: number }>(COUNT)?.n ?? 0;
  }

  hits(term: string): Hit[] {
    return this.#sql.all<HitRow>(HITS, quoted(term));
  }

  /** Of a common term, its best pages only. */
  bestHits(term: string, limit: number): Hit[] {
    return this.#sql.all<HitRow>(BEST, quoted(term), limit);
  }
}

type HitRow = { ordinal: number; score: number };

function quoted(term: string): string {
  return `"${term.replaceAll('"', "")}"`;
}
