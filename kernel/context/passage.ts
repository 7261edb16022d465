import { LIMITS } from "../limits.ts";
import type { Query } from "./query.ts";
import { cutsSurrogatePair } from "./script.ts";
import { isDense, type Words } from "./words.ts";

/** The part of a page that has most to do with a question: a few sentences in a row. */
export interface Passage {
  /** Weights of the distinct terms in it. */
  score: number;
  /** Whether it holds what the question expects. */
  answers: boolean;
  /** Where it begins in the page. */
  start: number;
  /** Those of its sentences that hold a term: two pages with the same ones say the same. */
  says: string;
}

const SENTENCES = 4;
const SENTENCE = /[^.!?。！？；;\n]+(?:[.!?。！？；;]+["'”’」』）)]*|\n(?!\s*\n)|$)[^\S\n]*/gu;

export function bestPassage(
  content: string,
  query: Query,
  words: Words,
  weights: ReadonlyMap<string, number>,
): Passage {
  const wanted = { dense: [...weights.keys()].filter(isDense), has: (term: string) => weights.has(term) };
  const sentences = [...content.matchAll(SENTENCE)].map(({ 0: text, index }) => ({
    text,
    index,
    terms: words.present(text, wanted),
  }));
  let best: Passage = { score: 0, answers: false, start: 0, says: "" };
  sentences.forEach(({ index, terms }, i) => {
    if (terms.size === 0) return;
    const window = sentences.slice(i, i + SENTENCES);
    const distinct = new Set(window.flatMap((sentence) => [...sentence.terms]));
    const score = [...distinct].reduce((sum, term) => sum + (weights.get(term) ?? 0), 0);
    const answers = query.expects !== null && window.some((sentence) => query.expects?.test(sentence.text) === true);
    if (score <= best.score) return;
    const says = window
      .flatMap((sentence) => (sentence.terms.size > 0 ? [sentence.text.replace(/[\s\d]+/g, "")] : []))
      .join("");
    best = { score, answers, start: index, says };
  });
  return best;
}

/** One line of the page from `start` on, with marks where it was cut. */
export function snippetOf(content: string, start: number): string {
  const before = content.slice(0, start).trim();
  const text = content
    .slice(before === "" ? 0 : start, start + 4 * LIMITS.snippetChars)
    .replace(/\s+/g, " ")
    .trim();
  const more = start + 4 * LIMITS.snippetChars < content.length || text.length > LIMITS.snippetChars;
  const end = cutsSurrogatePair(text, LIMITS.snippetChars) ? LIMITS.snippetChars - 1 : LIMITS.snippetChars;
  return `${before === "" ? "" : "…"}${text.slice(0, end)}${more ? "…" : ""}`;
}
