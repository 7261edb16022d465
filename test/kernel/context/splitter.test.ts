import { describe, expect, test } from "vitest";
import { piecesOf } from "../../../kernel/context/pieces.ts";
import { split } from "../../../kernel/context/splitter.ts";
import { estimateTokens } from "../../../kernel/context/tokens.ts";
import { blocksOf } from "../../support/blocks.ts";
import { prose } from "./rig.ts";

const PAGE_TOKENS = 64;

function pagesOf(text: string): string[] {
  const pages = [...split([text], PAGE_TOKENS)];
  expect(pages.join("")).toBe(text);
  for (const page of pages) expect(estimateTokens(page)).toBeLessThanOrEqual(PAGE_TOKENS);
  return pages;
}

describe("a text is cut into pages", () => {
  test("that are the text again when they are joined, and none is over the size", () => {
    expect(pagesOf(prose(200)).length).toBeGreaterThan(20);
  });

  test("of which a short one is the whole text, and an empty one none", () => {
    expect(pagesOf("One line.")).toEqual(["One line."]);
    expect(pagesOf("")).toEqual([]);
  });

  test("after sentences, in English and in Chinese", () => {
    for (const page of pagesOf(prose(50)).slice(0, -1)) expect(page.trimEnd()).toMatch(/\.$/);
    const chinese = "码头上的人每天早晨都要记下进港的船只。风大的时候，他们就把灯点起来！".repeat(20);
    for (const page of pagesOf(chinese)) expect(page).toMatch(/[。！]$/);
  });

  test("between paragraphs rather than inside of them", () => {
    const paragraph = "The lamp was lit at dusk. It burned until the fishing boats came home.";
    for (const page of pagesOf(`${paragraph}\n\n`.repeat(30))) expect(page.startsWith("The lamp")).toBe(true);
  });

  test("before a heading, so that it stays with what it heads", () => {
    const section = (n: number) =>
      `## Part ${n}\n\nThe lamp was lit at dusk, and the boats saw it from afar. It burned all night.\n\n`;
    for (const page of pagesOf(section(1) + section(2) + section(3) + section(4))) expect(page).toMatch(/^## Part/);
  });

  test("between lines of code, not in the middle of one", () => {
    const code = Array.from({ length: 40 }, (_, i) => `const value${i} = compute(${i}, "text");`).join("\n");
    for (const page of pagesOf(`\`\`\`ts\n${code}\n\`\`\`\n`).slice(0, -1)) expect(page).toMatch(/\n$/);
  });

  test("and no character is halved, however long the text goes on without a place to cut", () => {
    for (const page of pagesOf("😀".repeat(500))) expect(page.isWellFormed()).toBe(true);
    expect(pagesOf("x".repeat(2_000)).length).toBeGreaterThan(5);
  });
});

describe("texts of every kind", () => {
  const numbers = Array.from({ length: 600 }, (_, i) => i);
  const texts = {
    English: prose(800),
    Chinese: numbers.map((i) => `第${i}天，守塔人把船只写进账本，海风吹过码头。${i % 7 ? "" : "\n\n"}`).join(""),
    code: numbers
      .map((i) => `export function keep${i}(ship: Ship): number {\n  return ship.masts * ${i};\n}\n`)
      .join("\n"),
    "one line without spaces": "qwertzuiop".repeat(6_000),
    emoji: "🚢⚓️🌊👩‍🚀".repeat(3_000),
    manual: numbers.map((i) => `## Lamp ${i}\n\n${prose(1 + (i % 5), `lamp ${i}`)}\n\n${prose(2)}\n\n`).join(""),
  };

  for (const [name, text] of Object.entries(texts)) {
    test(`${name}: joined the pages are the text, each at most full and but for the last one well filled`, () => {
      for (const pageTokens of [256, 512]) {
        const pages = [...split(text, pageTokens)];
        expect(pages.join("") === text).toBe(true);
        const sizes = pages.map(estimateTokens);
        expect(Math.max(...sizes)).toBeLessThanOrEqual(pageTokens);
        expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(pageTokens * 0.35);
      }
    });

    test(`${name}: no page begins or ends with half of a character`, () => {
      for (const pageTokens of [64, 65, 66, 67])
        for (const page of split(text, pageTokens)) expect(page.isWellFormed()).toBe(true);
    });
  }

  test("no heading stands alone at the end of a page while its text is on the next", () => {
    const lastLines = [...split(texts.manual, 256)].map((page) => page.trimEnd().split("\n").at(-1) ?? "");
    expect(lastLines.filter((line) => line.startsWith("## "))).toEqual([]);
  });

  test("what looks like a heading inside a block of code is no place to cut", () => {
    const script = `${prose(10)}\n\n\`\`\`sh\n${"# not a heading\nmake lamp\n".repeat(12)}\`\`\`\n\n# A heading\n\n${prose(6)}`;
    const pages = [...split(script, 256)];
    expect(pages.filter((page) => page.startsWith("# not a heading"))).toEqual([]);
    expect(pages.filter((page) => page.startsWith("# A heading"))).toHaveLength(1);
  });

  test("of megabytes without a break: the time to cut their UTF-8 grows with the length, not with its square", () => {
    const msOf = (length: number) => {
      const text = blocksOf("的".repeat(length));
      const startedAt = performance.now();
      for (const _ of split(piecesOf(text), 512));
      return performance.now() - startedAt;
    };
    msOf(250_000);
    const [small, large] = [Math.min(msOf(250_000), msOf(250_000)), msOf(2_000_000)];
    console.log(`one line: 250,000 characters in ${small.toFixed(0)} ms, 2 million in ${large.toFixed(0)} ms`);
    expect(large / small).toBeLessThan(24);
  });
});
