import { describe, expect, test } from "vitest";
import { piecesOf } from "../../../kernel/context/pieces.ts";
import { split } from "../../../kernel/context/splitter.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { blocksOf } from "../../support/blocks.ts";

/** A text that is longer than several pieces, whose characters take one to four bytes, with headings and code. */
function mixedText(): string {
  let text = "\ufeff# Beginning\n\n";
  for (let i = 0; text.length < 4 * LIMITS.blockBytes; i++) {
    text += `Sentence ${i} is plain. Größe ${i}, 第${i}句没有空格。 ${"😀".repeat(i % 7)}`;
    if (i % 11 === 0) text += `\n\n## Part ${i}\n\n`;
    if (i % 29 === 0) text += `\n\`\`\`\n# code ${i}\n\n\`\`\`\n`;
  }
  return text;
}

describe("a long text as UTF-8", () => {
  test("is decoded in pieces that joined are the text, to the byte order mark", () => {
    const text = mixedText();
    const pieces = [...piecesOf(blocksOf(text))];
    expect(pieces.length).toBeGreaterThan(4);
    expect(pieces.join("")).toBe(text);
  });

  test("may come in blocks that end within a character", () => {
    const text = mixedText();
    const bytes = new TextEncoder().encode(text);
    const blocks = Array.from({ length: Math.ceil(bytes.length / 1_001) }, (_, i) =>
      bytes.slice(i * 1_001, (i + 1) * 1_001),
    );
    expect([...piecesOf(blocks)].join("")).toBe(text);
  });

  test.each([LIMITS.pageTokensMin, LIMITS.pageTokens, LIMITS.pageTokensMax])(
    "gives the very pages of the string, at %i tokens a page",
    (pageTokens) => {
      const text = mixedText();
      const pages = [...split(piecesOf(blocksOf(text)), pageTokens)];
      expect(pages).toEqual([...split([text], pageTokens)]);
      expect(pages.join("")).toBe(text);
    },
  );

  test("of no characters has no pages", () => {
    expect([...split(piecesOf([]), LIMITS.pageTokens)]).toEqual([]);
  });
});
