import { describe, expect, test } from "vitest";
import { piecesOf } from "../../kernel/context/pieces.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { LiftedField } from "../../workers/api/lifted-field.ts";

const NAME = "content";

/** What becomes of `json` that arrives `size` characters at a time. */
function lifted(json: string, size: number): { rest: string; text: string | null } {
  const field = new LiftedField(NAME);
  for (let at = 0; at < json.length; at += size) field.take(json.slice(at, at + size));
  const { rest, text } = field;
  return { rest, text: text === null ? null : [...piecesOf(text)].join("") };
}

const TEXTS = [
  "plain",
  'quotes " and \\ slashes \\\\" and \\u0041',
  "line\nbreaks\r\n\ttabs \b\f\u0000",
  "\ufeffGröße, 第一句, 😀😀",
  '{"content":"not this","a":[1]}',
];

describe("a long string of a JSON object", () => {
  test.each([1, 2, 3, 5, 7, 64, 100_000])("is lifted out whole when %i characters arrive at a time", (size) => {
    for (const content of TEXTS) {
      const object = { kind: 'a "note"', content, tags: [{ content: "deeper" }, "content"], source: "\\" };
      const { rest, text } = lifted(JSON.stringify(object, null, 1), size);
      expect(text).toBe(content);
      expect(JSON.parse(rest)).toEqual({ ...object, content: "-" });
    }
  });

  test.each([1, 4, 11, 12, 13, 500])("may be written in escapes all over, %i characters at a time", (size) => {
    const content = "a😀b第\n".repeat(9);
    const escaped = [...Array(content.length).keys()].map(
      (i) => `\\u${content.charCodeAt(i).toString(16).padStart(4, "0")}`,
    );
    expect(lifted(`{"\\u0063ontent" : "${escaped.join("")}"}`, size).text).toBe(content);
  });

  test("with half a character has a replacement character there", () => {
    for (const size of [1, 6, 100]) {
      expect(lifted('{"content":"a\\ud83d b\\ude00\\ud83d"}', size).text).toBe("a\ufffd b\ufffd\ufffd");
    }
  });

  test("of any length is lifted in blocks, none of which ends within a character", () => {
    for (const padding of ["", "a", "ab"]) {
      const content = padding + "第😀".repeat(LIMITS.blockBytes / 3);
      const field = new LiftedField(NAME);
      field.take(JSON.stringify({ content }));
      const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      const blocks = field.text ?? [];
      expect(blocks.length).toBeGreaterThan(2);
      expect(blocks.map((block) => decoder.decode(block)).join("")).toBe(content);
      for (const block of blocks) expect(block.length).toBeLessThanOrEqual(LIMITS.blockBytes);
    }
  });

  test("that is empty leaves an empty one", () => {
    expect(lifted('{"content":""}', 3)).toEqual({ rest: '{"content":""}', text: "" });
  });

  test("of another name, deeper, or in an array stays", () => {
    for (const json of ['{"contents":"a"}', '{"a":{"content":"b"}}', '["content","a"]', '"content"', '{"content":7}']) {
      expect(lifted(json, 4)).toEqual({ rest: json, text: null });
    }
  });

  test("given twice counts as it was given last", () => {
    const longFirst = lifted('{"content":"a long one","x":1,"content":"b"}', 5);
    expect(longFirst.text).toBe("b");
    expect(JSON.parse(longFirst.rest)).toEqual({ content: "-", x: 1 });
    expect(JSON.parse(lifted('{"content":"a","content":7}', 5).rest)).toEqual({ content: 7 });
  });

  test("that JSON does not allow, or that never ends, leaves no JSON", () => {
    const odd = ['{"content":"a\nb"}', '{"content":"\\x"}', '{"content":"\\u00g0"}', '{"content":"\\u"}'];
    const cut = ['{"content":"a', '{"content":"a\\', '{"content":"a"', '{"kind', '{"content""a"}'];
    for (const json of [...odd, ...cut]) {
      for (const size of [1, 4, 100]) expect(() => JSON.parse(lifted(json, size).rest), json).toThrow();
    }
  });
});
