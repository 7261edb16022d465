import { ok, type Result } from "../errors.ts";
import { newPageId } from "../id.ts";
import type { Clock, Hash, Random } from "../ports.ts";
import { LABELS, type Label, labelText } from "../security/label.ts";
import { visibleText } from "../security/visible-text.ts";
import type { Blocks } from "../storage/blocks.ts";
import type { Room } from "../storage/room.ts";
import { Outline } from "./outline.ts";
import type { PageKind } from "./page.ts";
import type { PageIndex } from "./page-index.ts";
import type { NewPage, PageRow, PageTable, Place } from "./page-table.ts";
import { piecesOf } from "./pieces.ts";
import { utf8Bytes } from "./script.ts";
import { split } from "./splitter.ts";
import { estimateTokens } from "./tokens.ts";

/** Lays pages: cuts a text, writes row after row and indexes it. One page at a time is in memory, whatever the text's size. */

export interface Draft {
  kind: PageKind;
  source: string;
  importance: number;
  pinned: boolean;
  /** Where it stands in the prompt at once; null = warm. */
  place: Place | null;
  at: number;
  /** Absent = what the process has read. */
  label?: Label | undefined;
}

/** The prompt shows these anyway, word by word; finding them again helps nobody. */
const NOT_INDEXED: ReadonlySet<PageKind> = new Set(["instructions", "goal"]);
const PREVIEW_CHARS = 80;

export interface WriterParts {
  readonly table: PageTable;
  readonly index: PageIndex;
  readonly clock: Clock;
  readonly hash: Hash;
  readonly random: Random;
  /** What the process has read: what it writes down carries that on. */
  read?(): Label;
  /** Hears of invisible characters that were taken out. */
  stripped?(count: number): void;
}

export class PageWriter {
  readonly #parts: WriterParts;
  readonly #pageTokens: number;

  constructor(parts: WriterParts, pageTokens: number) {
    this.#parts = parts;
    this.#pageTokens = pageTokens;
  }

  /** Pages of `text`, which joined are `text` again but for stretches of blanks that would fill a page alone. */
  writeText(text: string | Blocks, given: Draft): PageRow[] {
    const draft = this.#visible(given);
    const rows: PageRow[] = [];
    for (const { content, path } of this.#cut(text, draft)) rows.push(this.write(content, draft, path));
    return rows;
  }

  /** The same within what `room` has: what does not fit as a whole leaves nothing behind. */
  writeWithin(room: Room, text: string | Blocks, given: Draft): Result<PageRow[]> {
    const draft = this.#visible(given);
    const growth = room.begin();
    const rows: PageRow[] = [];
    for (const { content, path } of this.#cut(text, draft)) {
      const refused = growth.take({ pages: 1, pageBytes: utf8Bytes(content) });
      if (refused !== null) {
        this.#takeBack(rows);
        return { ok: false, error: refused };
      }
      rows.push(this.write(content, draft, path));
    }
    growth.done();
    return ok(rows);
  }

  /** One page of `content` as it is. */
  write(content: string, draft: Draft, path = "", indexed = content): PageRow {
    const { table, index, clock, hash, random } = this.#parts;
    const { kind, source, importance, pinned, place, at } = draft;
    const page: Omit<NewPage, "content"> = {
      id: newPageId(random),
      kind,
      tier: place === null ? "warm" : "hot",
      place,
      entry: null,
      tokens: estimateTokens(content),
      bytes: utf8Bytes(content),
      sha256: hash.sha256(content),
      pinned: pinned ? 1 : 0,
      importance,
      source,
      preview: previewOf(content),
      used_at: at,
      hot_at: place === null ? null : at,
      created_at: clock.now(),
      label: labelText(this.#labelOf(draft)),
    };
    const ordinal = table.insert({ ...page, content });
    if (!NOT_INDEXED.has(kind)) index.add(ordinal, indexed, `${source} ${path}`);
    return { ...page, ordinal, stubbed_at: null, segment_id: null, segment_offset: null };
  }

  #labelOf({ label }: Draft): Label {
    return label ?? this.#parts.read?.() ?? LABELS.document;
  }

  /** A prompt names the source of its pages, and whoever sent a document named it. */
  #visible(draft: Draft): Draft {
    return { ...draft, source: this.#visibleOf(draft.source, draft) };
  }

  /** What was handed in and nobody vouches for loses what cannot be seen, before anything is made of it. */
  #visibleOf(text: string, { label }: Draft): string {
    if (label?.trust !== "untrusted") return text;
    const visible = visibleText(text);
    if (visible.stripped > 0) this.#parts.stripped?.(visible.stripped);
    return visible.text;
  }

  *#cut(text: string | Blocks, draft: Draft): Iterable<{ content: string; path: string }> {
    const outline = new Outline();
    for (const page of split(piecesOf(text), this.#pageTokens)) {
      const content = this.#visibleOf(page, draft);
      const path = outline.pathAbove(content);
      if (content.trim() !== "") yield { content, path };
    }
  }

  #takeBack(rows: readonly PageRow[]): void {
    for (const { ordinal } of rows) {
      this.#parts.index.remove(ordinal);
      this.#parts.table.delete(ordinal);
    }
  }
}

/** The first words, on one line. */
export function previewOf(content: string): string {
  const line = content
    .slice(0, PREVIEW_CHARS * 4)
    .replace(/\s+/g, " ")
    .trim();
  return line.length <= PREVIEW_CHARS ? line : `${line.slice(0, PREVIEW_CHARS).replace(/[\ud800-\udbff]$/, "")}…`;
}
