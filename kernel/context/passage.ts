import { LIMITS } from "../limits.ts";
import type { Query } from "./query.ts";
import { cutsSurrogatePair } from "./script.ts";
import { isDense, type Words } from "./words.ts";

/** The part of a page that has most to do with a question: a few sentences in a row. */
export interface Passage {
  /** Weights of the concepts in it. */
  score: number;
  /** Whether the page holds what the question expects. */
  answers: boolean;
  /** Where it begins in the page. */
  start: number;
  /** Those of its sentences that hold a term: two pages with the same ones say the same. */
  says: string;
}

const SENTENCES = 4;
/** Concepts of at least this weight are more than a single character or a chance pair. */
const SPEAKS = 0.3;
const SENTENCE = /[^.!?。！？；;\n]+(?:[.!?。！？；;]+["'”’」』）)]*|\n(?!\s*\n)|$)[^\S\n]*/gu;

/** By word, what it says about a passage that has it, and for which concept of the question. */
export type WordWeights = ReadonlyMap<string, { concept: number; weight: number }>;

interface Sentence {
  text: string;
  index: number;
  terms: ReadonlySet<string>;
}

export function bestPassage(content: string, query: Query, words: Words, weights: WordWeights): Passage {
  const sentences = sentencesOf(content, words, weights);
  let best: Passage = { score: 0, answers: canAnswer(sentences, query, weights), start: 0, says: "" };
  sentences.forEach(({ index, terms }, i) => {
    if (terms.size === 0) return;
    const window = sentences.slice(i, i + SENTENCES);
    const score = worth(window, weights);
    if (score > best.score) best = { ...best, score, start: index, says: said(window) };
  });
  return best;
}

function sentencesOf(content: string, words: Words, weights: WordWeights): Sentence[] {
  const wanted = { dense: [...weights.keys()].filter(isDense), has: (term: string) => weights.has(term) };
  return [...content.matchAll(SENTENCE)].map(({ 0: text, index }) => ({
    text,
    index,
    terms: words.present(text, wanted),
  }));
}

/** Of each concept, its best word in these sentences. */
function worth(window: readonly Sentence[], weights: WordWeights): number {
  const best = new Map<number, number>();
  for (const term of window.flatMap(({ terms }) => [...terms])) {
    const { concept, weight } = weights.get(term) ?? { concept: -1, weight: 0 };
    best.set(concept, Math.max(best.get(concept) ?? 0, weight));
  }
  return [...best.values()].reduce((sum, weight) => sum + weight, 0);
}

/** Whether what the question expects stands in a sentence with one of its words, or right after it. */
function canAnswer(sentences: readonly Sentence[], { expects, concepts }: Query, weights: WordWeights): boolean {
  const speaks = (term: string) => (concepts[weights.get(term)?.concept ?? -1]?.weight ?? 0) >= SPEAKS;
  return (
    expects !== null &&
    sentences.some(
      ({ terms }, i) => [...terms].some(speaks) && sentences.slice(i, i + 2).some(({ text }) => expects.test(text)),
    )
  );
}

/** The sentences that hold a term, without blanks and numbers. */
function said(window: readonly Sentence[]): string {
  return window.flatMap(({ text, terms }) => (terms.size > 0 ? [text.replace(/[\s\d]+/g, "")] : [])).join("");
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
