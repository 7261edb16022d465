import { stem } from "./stemmer.ts";
import { CHINESE_THESAURUS } from "./thesaurus-chinese.ts";
import { ENGLISH_THESAURUS } from "./thesaurus-english.ts";

/**
 * Which words stand for one another: who asks about a text has not read it, and says "quit" where it says "exit". Groups are
 * lists of a head and its kindred; head and kindred are kindred to each other, two words of one group are not, because
 * a head often has several senses. English words are stemmed as the index stems them.
 */

const NONE: readonly string[] = [];

const KINDRED: ReadonlyMap<string, readonly string[]> = kindredOf([
  ...groupsOf(ENGLISH_THESAURUS).map((group) => group.map(stem)),
  ...groupsOf(CHINESE_THESAURUS),
]);

/** Words that `word` may stand for, without itself; `word` is an index term when it is English. */
export function kindred(word: string): readonly string[] {
  return KINDRED.get(word) ?? NONE;
}

function groupsOf(text: string): string[][] {
  return text.split(";").map((group) => group.trim().split(/\s+/));
}

function kindredOf(groups: readonly string[][]): Map<string, string[]> {
  const found = new Map<string, Set<string>>();
  const link = (a: string, b: string) => found.set(a, (found.get(a) ?? new Set()).add(b));
  for (const [head = "", ...others] of groups) {
    for (const other of others) {
      if (other === head) continue;
      link(head, other);
      link(other, head);
    }
  }
  return new Map([...found].map(([word, others]) => [word, [...others]]));
}
