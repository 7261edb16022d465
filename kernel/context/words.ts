import { stem } from "./stemmer.ts";
import { isStopWord } from "./stop-words.ts";

/**
 * Turns text into index terms, in any language. Words are folded (case, width, accents) and stemmed; `camelCase` gives its
 * parts too. Writing without spaces (also across the end of a line) gives every pair of neighbouring characters, so that no
 * word is lost to a mistake of segmentation, and every Han character alone: words of one family share characters.
 */

const DENSE =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}";
const RUN = new RegExp(`(?<dense>[${DENSE}]+(?:\\r?\\n[${DENSE}]+)*)|[[\\p{L}\\p{M}\\p{N}]--[${DENSE}]]+`, "gv");
const WORD = new RegExp(`[[\\p{L}\\p{M}\\p{N}]--[${DENSE}]]+`, "gv");
const DENSE_TERM = new RegExp(`^[${DENSE}]`, "v");
const ASCII = /^\p{ASCII}*$/u;
const ASCII_WORD = /[A-Za-z0-9]+/g;
const HAN = /^\p{Script=Han}$/u;
const PLAIN = /^[a-z0-9]+$/;
const COMPOUND = /[a-z][A-Z]|[A-Z]{2}[a-z]/;
const COMPOUND_PART = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+/g;
const MARKS = /\p{M}+/gu;

const TERM_CHARS = 40;
const CACHE_WORDS = 20_000;

/** Lower case, without accents, in compatibility form. */
export function fold(word: string): string {
  if (PLAIN.test(word)) return word;
  return word.normalize("NFKD").replace(MARKS, "").toLowerCase();
}

/** Whether a term is of writing without spaces. */
export function isDense(term: string): boolean {
  return DENSE_TERM.test(term);
}

/** Runs of `text`: words, and stretches of writing without spaces. */
export function* runs(text: string): Generator<{ text: string; dense: boolean; index: number }, void, undefined> {
  for (const match of text.matchAll(RUN)) {
    yield { text: match[0], dense: match.groups?.["dense"] !== undefined, index: match.index };
  }
}

/** The characters of a dense run, and its neighbouring pairs. */
export function grams(run: string): { chars: string[]; pairs: string[] } {
  const all = [...run.replace(/\s+/g, "")];
  return {
    chars: all.filter(isHan),
    pairs: all.slice(1).map((char, i) => (all[i] ?? "") + char),
  };
}

export class Words {
  /** Folding and stemming cost more than a look-up, and texts repeat their words. */
  readonly #terms = new Map<string, readonly string[]>();

  /** The terms of `text` in order, with repetitions. */
  termsOf(text: string): string[] {
    const terms: string[] = [];
    if (ASCII.test(text)) {
      for (const word of text.match(ASCII_WORD) ?? []) for (const term of this.word(word)) terms.push(term);
      return terms;
    }
    for (const run of text.matchAll(RUN)) {
      if (run.groups?.["dense"] === undefined) for (const term of this.word(run[0])) terms.push(term);
      else denseTerms(run[0], terms);
    }
    return terms;
  }

  /** Which of `wanted` stand in `text`: cheaper than making all its terms. */
  present(text: string, wanted: { dense: readonly string[]; has(term: string): boolean }): Set<string> {
    const found = new Set(wanted.dense.filter((term) => text.includes(term)));
    for (const word of text.match(WORD) ?? []) {
      for (const term of this.word(word)) if (wanted.has(term)) found.add(term);
    }
    return found;
  }

  /** The terms of one word: none for a stop word, several for a compound. */
  word(word: string): readonly string[] {
    const known = this.#terms.get(word);
    if (known !== undefined) return known;
    if (this.#terms.size >= CACHE_WORDS) this.#terms.clear();
    const terms = wordTerms(word);
    this.#terms.set(word, terms);
    return terms;
  }
}

function wordTerms(word: string): string[] {
  if (word.length > TERM_CHARS) return [];
  const parts = COMPOUND.test(word) ? (word.match(COMPOUND_PART) ?? []) : [];
  const all = parts.length > 1 ? [word, ...parts] : [word];
  return all
    .map(fold)
    .filter((part) => !isStopWord(part) && part.length > 1)
    .map(stem);
}

/** As `grams` has them, in one pass: texts of many megabytes go through here. */
function denseTerms(run: string, terms: string[]): void {
  let previous = "";
  for (const char of run) {
    if (char === "\n" || char === "\r") continue;
    if (isHan(char) && !isStopWord(char)) terms.push(char);
    if (previous !== "" && !isStopWord(previous + char)) terms.push(previous + char);
    previous = char;
  }
}

/** The common block by its bounds, the rare ones by Unicode's word. */
function isHan(char: string): boolean {
  return (char >= "\u4e00" && char <= "\u9fff") || (!(char >= "\u3040" && char <= "\u30ff") && HAN.test(char));
}
