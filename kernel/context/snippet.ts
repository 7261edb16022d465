import { LIMITS } from "../limits.ts";
import { cutsSurrogatePair } from "./script.ts";

/** The part of a page that has most to do with a question, on one line, with marks where it was cut. */
export function snippetOf(content: string, terms: readonly { term: string; weight: number }[]): string {
  const text = content.replace(/\s+/g, " ").trim();
  if (text.length <= LIMITS.snippetChars) return text;
  const at = bestStart(text.toLowerCase(), terms);
  const start = cutsSurrogatePair(text, at) ? at - 1 : at;
  const end = Math.min(text.length, start + LIMITS.snippetChars);
  const whole = text.slice(start, cutsSurrogatePair(text, end) ? end - 1 : end);
  return `${start > 0 ? "…" : ""}${whole}${end < text.length ? "…" : ""}`;
}

/** Where a window of the snippet's length holds the most weight of terms; a little before the first of them. */
function bestStart(text: string, terms: readonly { term: string; weight: number }[]): number {
  const marks = terms
    .flatMap(({ term, weight }) => occurrences(text, term).map((at) => ({ at, weight, term })))
    .sort((a, b) => a.at - b.at);
  let best = { at: 0, weight: 0 };
  marks.forEach((mark, i) => {
    const seen = new Set<string>();
    let weight = 0;
    for (let j = i; j < marks.length && (marks[j]?.at ?? 0) < mark.at + LIMITS.snippetChars * 0.75; j++) {
      const { term = "", weight: more = 0 } = marks[j] ?? {};
      if (!seen.has(term)) weight += more;
      seen.add(term);
    }
    if (weight > best.weight) best = { at: mark.at, weight };
  });
  const lead = Math.floor(LIMITS.snippetChars / 6);
  const start = Math.max(0, Math.min(best.at - lead, text.length - LIMITS.snippetChars));
  const space = text.lastIndexOf(" ", start + lead);
  return space > start ? space + 1 : start;
}

const OCCURRENCES = 16;

function occurrences(text: string, term: string): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(term); at !== -1 && found.length < OCCURRENCES; at = text.indexOf(term, at + 1))
    found.push(at);
  return found;
}
