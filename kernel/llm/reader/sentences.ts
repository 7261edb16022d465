/**
 * Cuts a page into sentences that can be quoted exactly: every sentence is a slice of the page. Headings and lead-ins
 * stay with what follows them, because alone they answer nothing.
 */

/** Where one line does not continue the one before: blank lines, headings, list items, table rows, fences, comment edges. */
const BLOCK_START = /^\s*(?:#{1,6}\s|[-*+•]\s|\d+[.)、]\s|\||```|>|\/\*\*|\*\/|第.{1,6}[章节回]|$)/;
const LATIN_END = /[.!?]["'”’)\]`*_]*(?=\s+["'“‘([`*_]*[\p{Lu}\p{N}])/u;
const HAN_END = /[。！？；…]+["'”’』」）)]*/;
const END = new RegExp(`${LATIN_END.source}|${HAN_END.source}`, "gu");
/** A title: short, and not closed by punctuation, or a lead-in that ends with a colon. */
const LEAD_CHARS = 80;

export function sentencesOf(text: string): string[] {
  return joinLeads(text, blocksOf(text).flatMap(cut)).map(({ from, to }) => text.slice(from, to));
}

interface Span {
  from: number;
  to: number;
  text: string;
  /** Whether a blank line, heading or list item begins here. */
  opens: boolean;
}

function blocksOf(text: string): Span[] {
  const blocks: Span[] = [];
  let from = 0;
  let at = 0;
  for (const line of text.split("\n")) {
    if (BLOCK_START.test(line) && at > from) {
      blocks.push(span(text, from, at, true));
      from = at;
    }
    at += line.length + 1;
  }
  blocks.push(span(text, from, text.length, true));
  return blocks.filter((block) => block.text !== "");
}

function cut(block: Span): Span[] {
  const sentences: Span[] = [];
  let from = 0;
  for (const match of block.text.matchAll(END)) {
    const to = match.index + match[0].length;
    sentences.push(span(block.text, from, to, from === 0));
    from = to;
  }
  sentences.push(span(block.text, from, block.text.length, from === 0));
  return sentences
    .filter(({ text }) => text !== "")
    .map((piece) => ({ ...piece, from: piece.from + block.from, to: piece.to + block.from }));
}

/** The slice without white space around it. */
function span(text: string, from: number, to: number, opens: boolean): Span {
  const slice = text.slice(from, to);
  const start = from + slice.length - slice.trimStart().length;
  const trimmed = slice.trim();
  return { from: start, to: start + trimmed.length, text: trimmed, opens };
}

function joinLeads(text: string, sentences: Span[]): Span[] {
  const joined: Span[] = [];
  let lead: Span | null = null;
  for (const sentence of sentences) {
    const whole: Span = lead === null ? sentence : span(text, lead.from, sentence.to, true);
    const leads: boolean = lead === null && isLead(sentence);
    if (!leads) joined.push(whole);
    lead = leads ? sentence : null;
  }
  return lead === null ? joined : [...joined, lead];
}

function isLead({ text, opens }: Span): boolean {
  if (!opens || text.length > LEAD_CHARS) return false;
  return /^#{1,6}\s/.test(text) || /[:：]$/.test(text);
}
