import { isCommonTerm } from "./common-words.ts";
import { isParticle, isStopWord } from "./stop-words.ts";
import { grams, runs, type Words } from "./words.ts";

/**
 * What a question asks for: its terms, weighed by how much they can say about the page that is meant, and the kind of
 * answer that it expects. The weights were measured on questions that share about one word with their answers
 * (test/fixtures/reading).
 */
export interface Query {
  terms: { term: string; weight: number }[];
  /** Stands in a sentence that can be the answer; null when the question asks for no particular kind. */
  expects: RegExp | null;
}

/** An ordinary word; a name, which nobody paraphrases. */
const COMMON = 0.4;
const NAME = 2;
/** In writing without spaces: one character of a word, and a pair that lies across two words. */
const CHARACTER = 0.2;
const ACROSS = 0.15;
const ACROSS_PARTICLE = 0.075;

const SENTENCE_START = /(?:^|[.!?。！？]\s*)$/;
const NAME_LIKE = /^\p{Lu}\p{Ll}/u;

export function parseQuery(text: string, words: Words): Query {
  const weights = new Map<string, number>();
  const add = (term: string, weight: number) => weights.set(term, Math.max(weight, weights.get(term) ?? 0));
  for (const run of runs(text)) {
    if (run.dense) addDense(run.text, add);
    else addWord(run.text, SENTENCE_START.test(text.slice(0, run.index)), words, add);
  }
  return { terms: [...weights].map(([term, weight]) => ({ term, weight })), expects: expectation(text) };
}

type Add = (term: string, weight: number) => void;

function addWord(word: string, starts: boolean, words: Words, add: Add): void {
  const isName = NAME_LIKE.test(word) && !starts;
  for (const term of words.word(word)) add(term, isName ? NAME : isCommonTerm(term) ? COMMON : 1);
}

/**
 * Words as the segmenter sees them; where it sees single characters side by side, they are taken for a word it does not
 * know. A word counts once, however many pairs it has. Pairs across words count a little, in case the segmenter erred.
 */
function addDense(run: string, add: Add): void {
  for (const pair of grams(run).pairs) add(pair, [...pair].some(isParticle) ? ACROSS_PARTICLE : ACROSS);
  const segments = [...new Intl.Segmenter("zh", { granularity: "word" }).segment(run)].map(({ segment }) => segment);
  const lone = segments.map((segment) => [...segment].length === 1 && !isParticle(segment));
  segments.forEach((segment, i) => {
    const beside = lone[i] === true && (lone[i - 1] === true || lone[i + 1] === true);
    if (isStopWord(segment) && !beside) return;
    const { chars, pairs } = grams(segment);
    const weight = isCommonTerm(segment) ? COMMON : 1;
    for (const pair of pairs) add(pair, weight / Math.sqrt(pairs.length));
    const alone = pairs.length === 0 && !beside;
    for (const char of chars) if (!isStopWord(char)) add(char, alone ? 1 : CHARACTER);
    if (lone[i] === true && lone[i + 1] === true) add(segment + (segments[i + 1] ?? ""), 1);
  });
}

/** The first whose question fits decides: what is asked, and what then stands in the answer. */
const EXPECTATIONS: readonly (readonly [asked: RegExp, answered: RegExp])[] = [
  [
    /\bhow (?:many|much|long|old|far|often)\b|\bwhat (?:year|date|number)\b|多少|多久|几|多大|多长/i,
    /\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twenty|hundred|thousand|dozen)\b|[一二三四五六七八九十百千两]/i,
  ],
  [
    /\bwhen\b|什么时候|何时|哪年/i,
    /\d{2,}|\b(?:year|day|night|morning|when|after|before|until|century)\b|时候|[年月日]/i,
  ],
  [/\bwhere\b|哪里|哪儿|什么地方/i, /\b(?:[Ii]n|[Aa]t|[Nn]ear|[Oo]n|[Ff]rom|[Tt]o|[Uu]nder) (?:the )?\p{Lu}|在/u],
  [/\bwho(?:se|m)?\b|谁/i, /[\p{Ll},"'] \p{Lu}\p{Ll}|["“「]/u],
  [
    /\bwhy\b|为什么|为何/i,
    /\b(?:because|since|for|so that|therefore|reason|thus|otherwise)\b|因为|由于|所以|因此|以免|否则/i,
  ],
];

function expectation(text: string): RegExp | null {
  return EXPECTATIONS.find(([asked]) => asked.test(text))?.[1] ?? null;
}
