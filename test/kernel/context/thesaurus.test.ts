import { expect, test } from "vitest";
import { stem } from "../../../kernel/context/stemmer.ts";
import { kindred } from "../../../kernel/context/thesaurus.ts";

test("a head and its words stand for each other, in both languages", () => {
  expect(kindred(stem("quit"))).toContain(stem("leave"));
  expect(kindred(stem("leave"))).toContain(stem("quit"));
  expect(kindred("升级")).toContain("更新");
  expect(kindred("更新")).toContain("升级");
});

test("two words of one group do not, unless a group says so", () => {
  expect(kindred(stem("corner"))).toEqual([stem("edge")]);
});

test("no word stands for itself, and a word of one subject for none", () => {
  for (const word of ["open", "close", "删除"]) expect(kindred(word)).not.toContain(word);
  expect(kindred("mitochondria")).toEqual([]);
});
