import type { Sql } from "../ports.ts";
import { labelOf } from "../security/label.ts";
import type { PageEntry, PageKind, Tier } from "./page.ts";

/**
 * The page table: one row a page, the truth about where its content is and where it stands in the prompt. Nothing here
 * awaits, and nothing is cached: a statement sees what the one before it wrote.
 */

/** Where a hot page stands in the prompt: in the system message, in its turn's history, or among the faulted pages at the end. */
export type Place = "system" | "history" | "memory";

/** A row without its content. */
export type PageRow = {
  ordinal: number;
  id: string;
  kind: PageKind;
  tier: Tier;
  place: Place | null;
  entry: number | null;
  tokens: number;
  bytes: number;
  sha256: string;
  pinned: number;
  importance: number;
  source: string;
  preview: string;
  used_at: number;
  hot_at: number | null;
  stubbed_at: number | null;
  segment_id: string | null;
  segment_offset: number | null;
  created_at: number;
  /** `trust/sensitivity` */
  label: string;
};
export type ResidentRow = PageRow & { content: string };
export type NewPage = Omit<PageRow, "ordinal" | "stubbed_at" | "segment_id" | "segment_offset"> & { content: string };

const COLUMNS =
  "ordinal, id, kind, tier, place, entry, tokens, bytes, sha256, pinned, importance, source, preview, used_at, hot_at, stubbed_at, segment_id, segment_offset, created_at, label";

const INSERT = `INSERT INTO pages (id, kind, tier, place, entry, tokens, bytes, sha256, pinned, importance, source, preview, used_at, hot_at, created_at, label, content)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING ordinal`;
const SHOWN = `SELECT label, id, min(ordinal) AS ordinal FROM pages WHERE tier = 'hot' GROUP BY label
  UNION ALL SELECT label, id, min(ordinal) AS ordinal FROM pages WHERE stubbed_at IS NOT NULL GROUP BY label`;
const LABELS = "SELECT label, count(*) AS pages FROM pages GROUP BY label ORDER BY label";
const SET_ENTRY = "UPDATE pages SET entry = ? WHERE ordinal = ?";
const BY_ID = `SELECT ${COLUMNS} FROM pages WHERE id = ?`;
const BY_ORDINAL = `SELECT ${COLUMNS} FROM pages WHERE ordinal = ?`;
const CONTENT = "SELECT content FROM pages WHERE ordinal = ?";
const LIST = `SELECT ${COLUMNS} FROM pages WHERE ordinal > ? ORDER BY ordinal LIMIT ?`;
const LIST_TIER = `SELECT ${COLUMNS} FROM pages WHERE tier = ? AND ordinal > ? ORDER BY ordinal LIMIT ?`;
const TALLY = "SELECT tier, count(*) AS pages, sum(tokens) AS tokens, sum(bytes) AS bytes FROM pages GROUP BY tier";
const TALLY_TIER =
  "SELECT count(*) AS pages, coalesce(sum(tokens), 0) AS tokens, coalesce(sum(bytes), 0) AS bytes FROM pages WHERE tier = ?";
const RESIDENT = `SELECT ${COLUMNS}, content FROM pages WHERE tier = 'hot' ORDER BY ordinal`;
const HOT = `SELECT ${COLUMNS} FROM pages WHERE tier = 'hot' ORDER BY ordinal`;
const WARM = `SELECT ${COLUMNS} FROM pages WHERE tier = 'warm' AND pinned = 0 ORDER BY used_at, ordinal LIMIT ?`;
const PINNED_AWAY = `SELECT ${COLUMNS} FROM pages WHERE pinned = 1 AND tier <> 'hot' ORDER BY ordinal LIMIT ?`;
const STUBS = `SELECT ${COLUMNS} FROM pages WHERE stubbed_at IS NOT NULL ORDER BY stubbed_at DESC, ordinal DESC LIMIT ?`;
const STUB_COUNT = "SELECT count(*) AS n FROM pages WHERE stubbed_at IS NOT NULL";

const HEAT = "UPDATE pages SET tier = 'hot', place = ?, content = ?, used_at = ?, hot_at = ? WHERE ordinal = ?";
const WARM_UP = "UPDATE pages SET tier = 'warm', content = ?, used_at = ? WHERE ordinal = ?";
const USE = "UPDATE pages SET used_at = ? WHERE ordinal = ?";
const COOL = "UPDATE pages SET tier = 'warm', place = NULL, hot_at = NULL, stubbed_at = ? WHERE ordinal = ?";
const UNSTUB_RETURNED = "UPDATE pages SET stubbed_at = NULL WHERE stubbed_at IS NOT NULL AND tier = 'hot'";
const FREEZE = `UPDATE pages SET tier = 'cold', content = NULL, segment_id = ?, segment_offset = ?
  WHERE ordinal = ? AND tier = 'warm' AND sha256 = ? AND used_at = ? RETURNING ordinal`;
const DROP_CLEAN =
  "UPDATE pages SET tier = 'cold', content = NULL WHERE ordinal = ? AND tier = 'warm' AND segment_id IS NOT NULL RETURNING ordinal";
const PIN = "UPDATE pages SET pinned = ?, importance = ? WHERE ordinal = ?";
const DELETE = "DELETE FROM pages WHERE ordinal = ?";

export type Tally = { pages: number; tokens: number; bytes: number };

export class PageTable {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** The new page's ordinal. */
  insert(page: NewPage): number {
    const { id, kind, tier, place, entry, tokens, bytes, sha256, pinned, importance, source, preview } = page;
    const { used_at, hot_at, created_at, label, content } = page;
    const origin = [id, kind, tier, place, entry, tokens, bytes, sha256, pinned, importance, source, preview] as const;
    return (
      this.#sql.first<{ ordinal: number }>(INSERT, ...origin, used_at, hot_at, created_at, label, content)?.ordinal ?? 0
    );
  }

  /** Of each label that the prompt shows anything of, in whole or by a line, one page. */
  shown(): { label: string; id: string }[] {
    return this.#sql.all<{ label: string; id: string }>(SHOWN);
  }

  labels(): { label: string; pages: number }[] {
    return this.#sql.all<{ label: string; pages: number }>(LABELS);
  }

  setEntry(ordinal: number, entry: number): void {
    this.#sql.run(SET_ENTRY, entry, ordinal);
  }

  byId(id: string): PageRow | undefined {
    return this.#sql.first<PageRow>(BY_ID, id);
  }

  byOrdinal(ordinal: number): PageRow | undefined {
    return this.#sql.first<PageRow>(BY_ORDINAL, ordinal);
  }

  /** Null when the page is cold, or gone. */
  content(ordinal: number): string | null {
    return this.#sql.first<{ content: string | null }>(CONTENT, ordinal)?.content ?? null;
  }

  list(after: number, limit: number, tier?: Tier): PageRow[] {
    if (tier === undefined) return this.#sql.all<PageRow>(LIST, after, limit);
    return this.#sql.all<PageRow>(LIST_TIER, tier, after, limit);
  }

  tallies(): Record<Tier, Tally> {
    const none = { pages: 0, tokens: 0, bytes: 0 };
    const tallies: Record<Tier, Tally> = { hot: none, warm: none, cold: none };
    for (const { tier, ...tally } of this.#sql.all<Tally & { tier: Tier }>(TALLY)) tallies[tier] = tally;
    return tallies;
  }

  tally(tier: Tier): Tally {
    return this.#sql.first<Tally>(TALLY_TIER, tier) ?? { pages: 0, tokens: 0, bytes: 0 };
  }

  /** Hot pages with content, by ordinal. */
  resident(): ResidentRow[] {
    return this.#sql.all<ResidentRow>(RESIDENT);
  }

  hot(): PageRow[] {
    return this.#sql.all<PageRow>(HOT);
  }

  /** Warm pages that may leave, least recently used first. */
  warm(limit: number): PageRow[] {
    return this.#sql.all<PageRow>(WARM, limit);
  }

  /** Pages that were pinned while they were away: they belong into the prompt. */
  pinnedAway(limit: number): PageRow[] {
    return this.#sql.all<PageRow>(PINNED_AWAY, limit);
  }

  /** Pages that left a line behind, newest first, and how many there are in all. */
  stubs(limit: number): { newest: PageRow[]; total: number } {
    return { newest: this.#sql.all<PageRow>(STUBS, limit), total: this.#sql.first<{ n: number }>(STUB_COUNT)?.n ?? 0 };
  }

  heat(ordinal: number, place: Place, content: string, at: number): void {
    this.#sql.run(HEAT, place, content, at, at, ordinal);
  }

  /** A cold page's content is back; it is not in the prompt. */
  warmUp(ordinal: number, content: string, at: number): void {
    this.#sql.run(WARM_UP, content, at, ordinal);
  }

  use(ordinal: number, at: number): void {
    this.#sql.run(USE, at, ordinal);
  }

  /** Hot to warm, leaving a line behind. */
  cool(ordinal: number, at: number): void {
    this.#sql.run(COOL, at, ordinal);
  }

  /** Takes back the lines of pages that are in the prompt again. */
  unstubReturned(): void {
    this.#sql.run(UNSTUB_RETURNED);
  }

  /** Warm to cold, when the row is as it was when `page` was read. */
  freeze(page: PageRow, segmentId: string, offset: number): boolean {
    return this.#sql.first(FREEZE, segmentId, offset, page.ordinal, page.sha256, page.used_at) !== undefined;
  }

  /** Warm to cold without writing: its segment still holds the content. */
  dropClean(ordinal: number): boolean {
    return this.#sql.first(DROP_CLEAN, ordinal) !== undefined;
  }

  mark(ordinal: number, pinned: boolean, importance: number): void {
    this.#sql.run(PIN, pinned ? 1 : 0, importance, ordinal);
  }

  delete(ordinal: number): void {
    this.#sql.run(DELETE, ordinal);
  }
}

/** A row as the outside sees it. */
export function entryOf(row: PageRow): PageEntry {
  return {
    id: row.id,
    kind: row.kind,
    tier: row.tier,
    tokens: row.tokens,
    bytes: row.bytes,
    sha256: row.sha256,
    pinned: row.pinned === 1,
    importance: row.importance,
    source: row.source,
    ordinal: row.ordinal,
    label: labelOf(row.label),
    createdAt: new Date(row.created_at).toISOString(),
  };
}
