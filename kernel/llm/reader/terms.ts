import { isStopWord } from "../../context/stop-words.ts";
import { runs, Words } from "../../context/words.ts";

/**
 * Content words of a question, and where a text holds them: what a question and its answer must have in common.
 *
 * Words are folded and stemmed as memory's index does it. Chinese words come from the platform's segmenter; because it may
 * cut the same characters differently in a question and in a page, they are looked for as parts of the text.
 */

const SEGMENTER = new Intl.Segmenter("zh", { granularity: "word" });

/** Words of goals that ask for nothing in particular, and words that only say that something is asked. */
const VAGUE = new Set(
  (
    "help helpful friendly useful kind assist assistant assistance user task complete general hello hi hey thanks thank work ready wait stand support " +
    "answer question memory according quote cite page describe document text word list summarize short briefly sentence " +
    "帮助 帮 帮忙 协助 用户 任务 完成 助手 你好 您好 谢谢 工作 处理 事情 回答 问题 记忆 文档 文中 文章 引用 查找 找出 解释 介绍 描述 " +
    "说明 属于 叫做 称为 名字 好 谁 哪 还"
  ).split(" "),
);
/** A single character, and a pair out of a longer word, say less than a word. */
const SINGLE_WEIGHT = 0.5;
const PAIR_WEIGHT = 0.4;

export interface Term {
  text: string;
  /** Written without spaces: looked for as a part of the text. */
  dense: boolean;
  weight: number;
}

/**
 * The content words of a question, each once, in its order. Empty for goals such as "Help the user", unless it is put as
 * a question: then even vague words are all that there is to go by.
 */
export function termsOf(question: string): Term[] {
  const terms = contentTerms(question, (word) => VAGUE.has(word));
  return terms.length === 0 && /[?？]\s*$/.test(question) ? contentTerms(question, () => false) : terms;
}

function contentTerms(question: string, isVague: (word: string) => boolean): Term[] {
  const words = new Words();
  const terms = new Map<string, Term>();
  for (const run of runs(question)) {
    const found = run.dense ? denseTerms(run.text, isVague) : spacedTerms(run.text, words, isVague);
    for (const term of found) if (!terms.has(term.text)) terms.set(term.text, term);
  }
  return [...terms.values()];
}

/** Where `text` holds which terms, by their first place. */
export function placesOf(text: string, terms: readonly Term[], words: Words): Map<Term, number> {
  const stems = new Map<string, number>();
  for (const run of runs(text)) {
    if (run.dense) continue;
    for (const term of words.word(run.text)) if (!stems.has(term)) stems.set(term, run.index);
  }
  const at = (term: Term): number => (term.dense ? text.indexOf(term.text) : (stems.get(term.text) ?? -1));
  return new Map(terms.map((term) => [term, at(term)] as const).filter(([, index]) => index >= 0));
}

function spacedTerms(word: string, words: Words, isVague: (word: string) => boolean): Term[] {
  const lower = word.toLowerCase();
  if (isVague(lower) || isVague(lower.replace(/s$/, ""))) return [];
  return words.word(word).map((text) => ({ text, dense: false, weight: 1 }));
}

function denseTerms(run: string, isVague: (word: string) => boolean): Term[] {
  const segments = [...SEGMENTER.segment(run)].map(({ segment }) => segment);
  return segments.filter((word) => !isStopWord(word) && !isVague(word)).flatMap(wordTerms);
}

function wordTerms(word: string): Term[] {
  const whole = { text: word, dense: true, weight: word.length === 1 ? SINGLE_WEIGHT : 1 };
  if (word.length <= 2) return [whole];
  const pairs = Array.from({ length: word.length - 1 }, (_, i) => word.slice(i, i + 2));
  return [whole, ...pairs.map((text) => ({ text, dense: true, weight: PAIR_WEIGHT }))];
}
