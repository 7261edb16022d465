import { describe, expect, test } from "vitest";
import { utf8Bytes } from "../../../kernel/context/script.ts";
import { estimateTokens, reach, recalibrate } from "../../../kernel/context/tokens.ts";

describe("an estimate of tokens", () => {
  test("takes about four characters of English for one token, and at least one token for a Chinese character", () => {
    const english = "The keeper of the harbour writes every ship into his book before the evening. ".repeat(100);
    expect(english.length / estimateTokens(english)).toBeGreaterThan(3.5);
    expect(english.length / estimateTokens(english)).toBeLessThan(5);
    expect(estimateTokens("码头上的人每天早晨都要记下")).toBeGreaterThanOrEqual(13);
  });

  test("takes code and numbers for denser than prose", () => {
    expect(estimateTokens('{"a":[1,2,3],"b":{"c":"d"}}')).toBeGreaterThan(
      estimateTokens("a plain line of prose here."),
    );
  });

  test("of a part that was measured to fit does fit, and one character more does not", () => {
    const text = "Wörter, 数字 12345 and words ".repeat(50);
    const end = reach(text, 7, 100);
    expect(estimateTokens(text.slice(7, end))).toBeLessThanOrEqual(100);
    expect(estimateTokens(text.slice(7, end + 2))).toBeGreaterThan(100);
  });

  test("is corrected towards what vendors bill, step by step and within bounds", () => {
    let factor = 1;
    for (let call = 0; call < 30; call++) factor = recalibrate(factor, 1_000 * factor, 1_500);
    expect(factor).toBeCloseTo(1.5, 2);
    expect(recalibrate(1, 1, 1_000_000)).toBeLessThan(2);
    expect(recalibrate(1, 1_000, 0)).toBe(1);
  });
});

test("UTF-8 bytes are counted as an encoder would make them", () => {
  for (const text of ["plain", "Wörter", "数字", "😀 and \ud800 alone"]) {
    expect(utf8Bytes(text)).toBe(new TextEncoder().encode(text).length);
  }
});
