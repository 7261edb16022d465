import { isCommonTerm } from "./common-words.ts";
import { isParticle, isStopWord } from "./stop-words.ts";
import { kindred } from "./thesaurus.ts";
import { grams, isDense, runs, type Words } from "./words.ts";

/**
 * What a question asks for: its concepts, weighed by how much they can say about the page that is meant, and the kind of
 * answer that it expects. A concept is a word of the question or one that stands for it (`thesaurus.ts`): whichever a page
 * has, it counts once. The weights were measured (docs/decisions/0022-search.md).
 */
export interface Query {
  concepts: Concept[];
  /** Stands in a sentence that can be the answer; null when the question asks for no particular kind. */
  expects: RegExp | null;
}

export interface Concept {
  weight: number;
  /** The word of the question comes first. */
  forms: Form[];
}

export interface Form {
  word: string;
  /** How it is indexed: a word without spaces around it by its pairs of characters. */
  terms: readonly string[];
  /** 1 = the word of the question itself. */
  weight: number;
}

/** An ordinary word; a name, which nobody paraphrases. */
const COMMON = 0.65;
const NAME = 2;
/** A word that stands for the question's: an English word has more senses than a Chinese one, so it stands for it less often. */
const KINDRED = 0.5;
const KINDRED_DENSE = 0.7;
/** In writing without spaces: one character of a word, and a pair that lies across two words. */
const CHARACTER = 0.15;
const ACROSS = 0.15;
const ACROSS_PARTICLE = 0.075;

const SENTENCE_START = /(?:^|[.!?。！？]\s*)$/;
const NAME_LIKE = /^\p{Lu}\p{Ll}/u;

export function parseQuery(text: string, words: Words): Query {
  const concepts = new Map<string, Concept>();
  const add: Add = (weight, form, kin = []) => {
    if ((concepts.get(form.word)?.weight ?? 0) >= weight) return;
    concepts.set(form.word, { weight, forms: [form, ...kin.map(kindredForm)] });
  };
  for (const run of runs(text)) {
    if (run.dense) addDense(run.text.replace(/\s+/g, ""), add);
    else addWord(run.text, SENTENCE_START.test(text.slice(0, run.index)), words, add);
  }
  return { concepts: [...concepts.values()], expects: expectation(text) };
}

type Add = (weight: number, form: Form, kin?: readonly string[]) => void;

function kindredForm(word: string): Form {
  return { ...formOf(word), weight: isDense(word) ? KINDRED_DENSE : KINDRED };
}

function formOf(word: string): Form {
  const pairs = isDense(word) ? grams(word).pairs : [];
  return { word, terms: pairs.length > 0 ? pairs : [word], weight: 1 };
}

function addWord(word: string, starts: boolean, words: Words, add: Add): void {
  const isName = NAME_LIKE.test(word) && !starts;
  for (const term of words.word(word)) {
    add(isName ? NAME : isCommonTerm(term) ? COMMON : 1, formOf(term), isName ? [] : kindred(term));
  }
}

/**
 * Words as the segmenter sees them; where it sees single characters side by side, they are taken for a word it does not
 * know. Pairs across words count a little, in case the segmenter erred.
 */
function addDense(run: string, add: Add): void {
  for (const pair of grams(run).pairs) add([...pair].some(isParticle) ? ACROSS_PARTICLE : ACROSS, formOf(pair));
  const segments = [...new Intl.Segmenter("zh", { granularity: "word" }).segment(run)].map(({ segment }) => segment);
  const lone = segments.map((segment) => [...segment].length === 1 && !isParticle(segment));
  segments.forEach((segment, i) => {
    const next = lone[i] === true && lone[i + 1] === true ? (segments[i + 1] ?? "") : "";
    addSegment(segment, next !== "" || (lone[i] === true && lone[i - 1] === true), add);
    if (next !== "") add(1, formOf(segment + next), kindred(segment + next));
  });
}

/** `beside`: a single character next to another. */
function addSegment(segment: string, beside: boolean, add: Add): void {
  if (isStopWord(segment) && !beside) return;
  const { chars, pairs } = grams(segment);
  if (pairs.length > 0) add(isCommonTerm(segment) ? COMMON : 1, formOf(segment), kindred(segment));
  const alone = pairs.length === 0;
  for (const char of chars) {
    if (!isStopWord(char)) add(alone && !beside ? 1 : CHARACTER, formOf(char), alone ? kindred(char) : []);
  }
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
