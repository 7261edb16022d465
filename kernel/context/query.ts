import { isStopWord } from "./stop-words.ts";
import { grams, runs, type Words } from "./words.ts";

/** The terms of a question, weighed. */
export interface QueryTerm {
  term: string;
  weight: number;
}

/** Of words in writing without spaces: a character of a word of several, and a pair that lies across two words. */
const CHARACTER = 0.2;
const ACROSS = 0.3;

export function queryTerms(query: string, words: Words): QueryTerm[] {
  const weights = new Map<string, number>();
  const add = (term: string, weight: number) => weights.set(term, Math.max(weight, weights.get(term) ?? 0));
  const segmenter = new Intl.Segmenter("zh", { granularity: "word" });
  for (const run of runs(query)) {
    if (run.dense) denseTerms(run.text, segmenter, add);
    else for (const term of words.word(run.text)) add(term, 1);
  }
  return [...weights].map(([term, weight]) => ({ term, weight }));
}

function denseTerms(run: string, segmenter: Intl.Segmenter, add: (term: string, weight: number) => void): void {
  for (const pair of grams(run).pairs) if (![...pair].some(isStopWord)) add(pair, ACROSS);
  for (const { segment } of segmenter.segment(run)) {
    if (isStopWord(segment)) continue;
    const { chars, pairs } = grams(segment);
    for (const pair of pairs) add(pair, 1);
    for (const char of chars) if (!isStopWord(char)) add(char, pairs.length === 0 ? 1 : CHARACTER);
  }
}
