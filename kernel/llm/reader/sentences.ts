/**
 * Cuts a page into sentences that can be quoted exactly: every sentence is a slice of the page. Headings and lead-ins
 * lend their words to what follows them, because alone they answer nothing.
 */

/** Where one line does not continue the one before: blank lines, headings, list items, table rows, fences, comment edges. */
const BLOCK_START = /^\s*(?:#{1,6}\s|[-*+•]\s|\d+[.)、]\s|\||```|>|\/\*\*|\*\/|第.{1,6}[章节回]|$)/;
const LATIN_END = /[.!?]["'”’)\]`*_]*(?=\s+["'“‘([`*_]*[\p{Lu}\p{N}])/u;
const HAN_END = /[。！？；…]+["'”’』」）)]*/;
const END = new RegExp(`${LATIN_END.source}|${HAN_END.source}`, "gu");
/** A title: short, and not closed by punctuation, or a lead-in that ends with a colon. */
const LEAD_CHARS = 80;

export interface CutSentence {
  text: string;
  /** The heading or lead-in right before it; empty when there is none. */
  lead: string;
}

export function sentencesOf(page: string): CutSentence[] {
  const sentences: CutSentence[] = [];
  let lead = "";
  for (const piece of blocksOf(page).flatMap(cut)) {
    if (isLead(piece)) {
      lead = lead === "" ? piece.text : `${lead}\n${piece.text}`;
      continue;
    }
    sentences.push({ text: piece.text, lead });
    lead = "";
  }
  return lead === "" ? sentences : [...sentences, { text: lead.slice(lead.lastIndexOf("\n") + 1), lead: "" }];
}

interface Piece {
  text: string;
  /** Whether a heading, list item or paragraph begins here. */
  opens: boolean;
}

function blocksOf(page: string): string[] {
  const blocks: string[] = [];
  let from = 0;
  let at = 0;
  for (const line of page.split("\n")) {
    if (BLOCK_START.test(line) && at > from) {
      blocks.push(page.slice(from, at));
      from = at;
    }
    at += line.length + 1;
  }
  return [...blocks, page.slice(from)];
}

function cut(block: string): Piece[] {
  const ends = [...block.matchAll(END)].map((match) => match.index + match[0].length);
  const pieces = [...ends, block.length].map((to, i) => ({
    text: block.slice(ends[i - 1] ?? 0, to).trim(),
    opens: i === 0,
  }));
  return pieces.filter(({ text }) => text !== "");
}

function isLead({ text, opens }: Piece): boolean {
  if (!opens || text.length > LEAD_CHARS) return false;
  return /^#{1,6}\s/.test(text) || /[:：]$/.test(text);
}
