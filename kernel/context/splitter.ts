import { headingOf, isFence } from "./outline.ts";
import { cutsSurrogatePair, SCRIPT, scriptOf } from "./script.ts";
import { longestReach, reach } from "./tokens.ts";

/**
 * Cuts a text into pages of at most `pageTokens`. The pages joined are the text again, so a page is always a true quotation;
 * cuts fall before headings, else between paragraphs, else after sentences, lines, words. Lazy: one page at a time, and of
 * the text only what the next page may reach, because many megabytes must not stand in memory twice.
 */

/** A cut of this kind is taken only when the page is filled at least so far. */
const FILL = { heading: 0.4, paragraph: 0.5, sentence: 0.5, line: 0.6, word: 0.75 } as const;

/** Units after the longest page that a cut may look at, and one more, so that the text does not end there. */
const LOOK_AHEAD = 4;

const SENTENCE_END = /[.!?。！？；…]/;
const CLOSING = /["'”’）)」』\]]/;

/** Pages of the text that `pieces` are when joined. Where they part changes nothing. */
export function* split(pieces: Iterable<string>, pageTokens: number): Generator<string, void, undefined> {
  const enough = longestReach(pageTokens) + LOOK_AHEAD;
  let fenced = false;
  let rest = "";
  for (const piece of pieces) rest = yield* pagesOf(rest + piece, enough);
  yield* pagesOf(rest, 1);

  /** Pages as long as there are `least` units; answers what is left. */
  function* pagesOf(part: string, least: number): Generator<string, string, undefined> {
    let start = 0;
    while (part.length - start >= least) {
      const limit = Math.max(reach(part, start, pageTokens), start + 2);
      const page = limit >= part.length ? part.slice(start) : part.slice(start, cut(part, start, limit, fenced));
      start += page.length;
      if (hasOddFences(page)) fenced = !fenced;
      yield page;
    }
    return part.slice(start);
  }
}

/** Where to end the page that starts at `start` and may reach to `limit`. */
function cut(text: string, start: number, limit: number, fenced: boolean): number {
  const from = (share: number) => start + Math.ceil((limit - start) * share);
  const blocks = blockCuts(text, start, limit, fenced);
  const index =
    blocks.headings.findLast((at) => at >= from(FILL.heading)) ??
    blocks.paragraphs.findLast((at) => at >= from(FILL.paragraph)) ??
    lastBefore(limit, from(FILL.sentence), (at) => endsSentence(text, at)) ??
    lastBefore(limit, from(FILL.line), (at) => text[at - 1] === "\n") ??
    lastBefore(limit, from(FILL.word), (at) => endsWord(text, at)) ??
    limit;
  return cutsSurrogatePair(text, index) ? index - 1 : index;
}

/** Starts of headings and of paragraphs, outside of code. */
function blockCuts(text: string, start: number, limit: number, fenced: boolean) {
  const headings: number[] = [];
  const paragraphs: number[] = [];
  let blankAbove = false;
  for (let at = start; at < limit; ) {
    const newline = text.indexOf("\n", at);
    const end = newline === -1 || newline >= limit ? limit : newline;
    const line = text.slice(at, end);
    if (isFence(line)) fenced = !fenced;
    const blank = line.trim() === "";
    if (!fenced && at > start && !blank) {
      if (headingOf(line) !== null) headings.push(at);
      else if (blankAbove) paragraphs.push(at);
    }
    blankAbove = blank;
    at = end + 1;
  }
  return { headings, paragraphs };
}

function hasOddFences(page: string): boolean {
  let odd = false;
  for (let at = 0; at < page.length; ) {
    const newline = page.indexOf("\n", at);
    const end = newline === -1 ? page.length : newline;
    if (isFence(page.slice(at, end))) odd = !odd;
    at = end + 1;
  }
  return odd;
}

function lastBefore(limit: number, least: number, fits: (at: number) => boolean): number | null {
  for (let at = limit; at >= least; at--) if (fits(at)) return at;
  return null;
}

function endsSentence(text: string, at: number): boolean {
  let last = at - 1;
  const spaced = scriptOf(text.charCodeAt(last)) === SCRIPT.space;
  while (last > 0 && scriptOf(text.charCodeAt(last)) === SCRIPT.space) last--;
  while (last > 0 && CLOSING.test(text[last] ?? "")) last--;
  const mark = text[last] ?? "";
  if (!SENTENCE_END.test(mark)) return false;
  return spaced || (mark > "\u007f" && !CLOSING.test(text[at] ?? ""));
}

function endsWord(text: string, at: number): boolean {
  const before = scriptOf(text.charCodeAt(at - 1));
  return before === SCRIPT.space || before === SCRIPT.dense;
}
