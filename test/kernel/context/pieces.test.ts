import { describe, expect, test } from "vitest";
import { piecesOf } from "../../../kernel/context/pieces.ts";
import { split } from "../../../kernel/context/splitter.ts";
import { LIMITS } from "../../../kernel/limits.ts";

/** A text that is longer than several pieces, whose characters take one to four bytes, with headings and code. */
function mixedText(): string {
  let text = "\ufeff# Beginning\n\n";
  for (let i = 0; text.length < 4 * LIMITS.ingestPieceBytes; i++) {
    text += `Sentence ${i} is plain. Größe ${i}, 第${i}句没有空格。 ${"😀".repeat(i % 7)}`;
    if (i % 11 === 0) text += `\n\n## Part ${i}\n\n`;
    if (i % 29 === 0) text += `\n\`\`\`\n# code ${i}\n\n\`\`\`\n`;
  }
  return text;
}

describe("a long text as UTF-8", () => {
  test("is decoded in pieces that joined are the text, to the byte order mark", () => {
    const text = mixedText();
    const pieces = [...piecesOf(new TextEncoder().encode(text))];
    expect(pieces.length).toBeGreaterThan(4);
    expect(pieces.join("")).toBe(text);
  });

  test.each([LIMITS.pageTokensMin, LIMITS.pageTokens, LIMITS.pageTokensMax])(
    "gives the very pages of the string, at %i tokens a page",
    (pageTokens) => {
      const text = mixedText();
      const pages = [...split(piecesOf(new TextEncoder().encode(text)), pageTokens)];
      expect(pages).toEqual([...split([text], pageTokens)]);
      expect(pages.join("")).toBe(text);
    },
  );

  test("of no characters has no pages", () => {
    expect([...split(piecesOf(new Uint8Array(0)), LIMITS.pageTokens)]).toEqual([]);
  });
});
