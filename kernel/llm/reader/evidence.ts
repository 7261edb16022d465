import { Words } from "../../context/words.ts";
import { LIMITS } from "../../limits.ts";
import type { SeenPage } from "./conversation.ts";
import { sentencesOf } from "./sentences.ts";
import { placesOf, type Term } from "./terms.ts";

/**
 * Chooses the sentences that answer a question best.
 *
 * A sentence is worth the rare words that it shares with the question, more when they stand close together and when it
 * holds the kind of thing that is asked for. How memory ranked its page counts as strongly, and each of the best-ranked
 * pages is heard, because one common word must be enough to find an answer.
 */

export interface Quote {
  pageId: string;
  /** An exact part of the page. */
  text: string;
}

interface Sentence extends Quote {
  /** The page's rank, 0 = best. */
  rank: number;
  /** Where the question's terms stand in it. */
  places: ReadonlyMap<Term, number>;
}

interface Candidate extends Sentence {
  score: number;
}

/** Pages that are always quoted, by memory's rank. */
const HEARD_PAGES = 3;
/** How much less each next rank counts. */
const RANK_DECAY = 0.75;
const KIND_BONUS = 0.3;
const CLOSE_BONUS = 0.3;
/** A further quote must be this good, compared with the best one. */
const FURTHER_SHARE = 0.6;
/** Prose has at least this share of letters, digits and spaces. */
const PROSE_SHARE = 0.85;
/** Terms this far apart count as close. */
const TERM_SPAN_CHARS = 20;

/** `pages` best first, as memory ranked them; those that it did not rank come last. Best quote first. */
export function quotesFor(question: string, terms: readonly Term[], pages: readonly SeenPage[]): Quote[] {
  const words = new Words();
  const sentences = pages.flatMap((page, rank) => sentencesIn(page, rank, terms, words));
  const weights = weightsOf(terms, sentences);
  const kind = kindOf(question);
  const candidates = sentences.map((sentence) => ({ ...sentence, score: scoreOf(sentence, weights, kind) }));
  if (candidates.every(({ score }) => score === 0)) return [];
  const best = pages.map((_, rank) => bestOf(candidates.filter((one) => one.rank === rank)));
  const heard = best.filter((one) => one !== null).slice(0, HEARD_PAGES);
  return ordered(heard, candidates).map(({ pageId, text, places }) => ({ pageId, text: clipped(text, places) }));
}

function sentencesIn({ id, content }: SeenPage, rank: number, terms: readonly Term[], words: Words): Sentence[] {
  return sentencesOf(content).map(({ text, lead }) => {
    const led = [...placesOf(lead, terms, words).keys()].map((term) => [term, 0] as const);
    return { pageId: id, text, rank, places: new Map([...led, ...placesOf(text, terms, words)]) };
  });
}

function scoreOf({ text, rank, places }: Sentence, weights: ReadonlyMap<Term, number>, kind: RegExp | null): number {
  const worth = [...places.keys()].reduce((sum, term) => sum + (weights.get(term) ?? 0), 0);
  const bonus = 1 + (kind?.test(text) ? KIND_BONUS : 0) + CLOSE_BONUS * closeness([...places.values()]);
  return worth * bonus * brevity(text) * prose(text) * RANK_DECAY ** rank;
}

/** Rarity of each term over all sentences in sight, so that common words decide little. */
function weightsOf(terms: readonly Term[], sentences: readonly Sentence[]): Map<Term, number> {
  const frequency = (term: Term): number => sentences.filter(({ places }) => places.has(term)).length;
  return new Map(
    terms.map((term) => [term, term.weight * Math.log(1 + (sentences.length + 1) / (frequency(term) + 0.5))]),
  );
}

/** 0-1: how close together the terms stand. */
function closeness(places: readonly number[]): number {
  if (places.length < 2) return 0;
  const span = Math.max(...places) - Math.min(...places);
  return 1 / (1 + span / (places.length * TERM_SPAN_CHARS));
}

/** Long lists and code hold many words by chance. */
function brevity(text: string): number {
  return 1 / (1 + Math.max(0, text.length - LIMITS.readerQuoteChars / 2) / (LIMITS.readerQuoteChars * 2));
}

/** Markup, links and code hold words by chance too: the share of letters tells them from prose. */
function prose(text: string): number {
  const letters = text.match(/[\p{L}\p{N}\s]/gu)?.length ?? 0;
  return Math.min(1, letters / Math.max(1, text.length) / PROSE_SHARE);
}

const MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December";
const KINDS: readonly (readonly [RegExp, RegExp])[] = [
  [/\bwho(?:m|se)?\b|谁|哪位|何人/i, /(?<=[\p{L},] )\p{Lu}\p{Ll}+ \p{Lu}\p{Ll}+|先生|女士|教授|博士|主编|作者/u],
  [
    /\bwhen\b|\bwhat (?:year|date|day)\b|何时|什么时候|哪一?年|哪天|几月|几号/i,
    new RegExp(`\\d{4}|${MONTHS}|[年月日]`),
  ],
  [
    /\bhow (?:many|much|long|old|big|far|often|large|tall|high)\b|多少|几[个只人次条]|多[大长高久远]/i,
    /\d|[一二三四五六七八九十百千万亿]/,
  ],
  [/\bwhere\b|哪里|哪儿|何处|什么地方/i, /\b(?:in|at|near|from) (?:the )?\p{Lu}|位于|坐落|[省市县州国]/u],
  [/\bwhy\b|为什么|为何/i, /\b(?:because|since|due to|so that|in order to)\b|因为|由于|为了/i],
];

/** What sort of thing the question asks for, as a pattern of sentences that hold one. */
function kindOf(question: string): RegExp | null {
  return KINDS.find(([asks]) => asks.test(question))?.[1] ?? null;
}

/** The best sentence of a page; where none has a word in common, the longest, because a title alone says nothing. */
function bestOf(candidates: readonly Candidate[]): Candidate | null {
  const better = (a: Candidate, b: Candidate): boolean =>
    a.score > b.score || (a.score === 0 && b.score === 0 && a.text.length > b.text.length);
  return candidates.reduce<Candidate | null>((best, one) => (best === null || better(one, best) ? one : best), null);
}

/** The best-ranked pages by their best sentence, then further good sentences, up to the limit. */
function ordered(best: readonly Candidate[], candidates: readonly Candidate[]): Candidate[] {
  const byScore = (a: Candidate, b: Candidate): number => b.score - a.score || a.rank - b.rank;
  const heard = best.toSorted(byScore);
  const bar = (heard[0]?.score ?? 0) * FURTHER_SHARE;
  const further = candidates
    .filter((one) => one.score >= bar && one.score > 0 && !heard.includes(one))
    .toSorted(byScore);
  return [...heard, ...further].slice(0, LIMITS.readerCitations);
}

/** At most `readerQuoteChars` of a long sentence, around the first word that counts; still an exact part of the page. */
function clipped(text: string, places: ReadonlyMap<Term, number>): string {
  const size = LIMITS.readerQuoteChars;
  if (text.length <= size) return text;
  const first = places.size === 0 ? 0 : Math.min(...places.values());
  const from = Math.max(0, Math.min(first - size / 4, text.length - size));
  const cut = text.slice(from, from + size);
  return (from > 0 ? cut.replace(/^[\p{Ll}\p{Lu}\p{N}]*[^\p{L}\p{N}]/u, "") : cut).trim();
}
