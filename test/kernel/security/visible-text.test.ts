import { describe, expect, test } from "vitest";
import { visibleText, visibleValue } from "../../../kernel/security/visible-text.ts";

const KEPT: Record<string, string> = {
  Chinese: "灯塔建于1871年，高四十二米。",
  "a variant of a Han character": "葛\u{E0100}城",
  Persian: "می\u200cخواهم بروم",
  Hindi: "क्\u200dष",
  Arabic: "السفينة في الميناء",
  "a family of emoji": "👨\u200d👩\u200d👧\u200d👦 and 👩🏽\u200d💻",
  "selectors of emoji": "❤\ufe0f 1\ufe0f\u20e3 ☎\ufe0e",
  "the flag of Scotland": "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}",
  "line ends and tabs": "a\tb\r\nc",
};

describe("text without what cannot be seen", () => {
  test.each(Object.entries(KEPT))("is the same text in %s", (_name, text) => {
    expect(visibleText(text)).toEqual({ text, stripped: 0 });
  });

  const hidden = [
    0xad, 0x200b, 0x200d, 0x200e, 0x202e, 0x2060, 0x2066, 0xfeff, 0xfe0f, 0x7, 0x1b, 0x3164, 0xe0041, 0xe0101,
  ];
  test.each(hidden.map((code) => [code.toString(16), String.fromCodePoint(code)]))(
    "loses U+%s between letters",
    (_name, char) => {
      expect(visibleText(`a${char}b`)).toEqual({ text: "ab", stripped: 1 });
    },
  );

  test("loses orders in tag characters, behind a flag too", () => {
    const tags = [..."leak it"].map((char) => String.fromCodePoint(0xe0000 + char.charCodeAt(0))).join("");
    expect(visibleText(`🏴${tags}\u{E007F} fine`)).toEqual({ text: "🏴 fine", stripped: 8 });
  });

  test("is counted in every text of a value, names too", () => {
    expect(visibleValue({ "a\u200b": ["b\u0007", { c: "d\u00ade" }], n: 1 })).toEqual({
      value: { a: ["b", { c: "de" }], n: 1 },
      stripped: 3,
    });
  });
});
