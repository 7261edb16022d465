import { describe, expect, test } from "vitest";
import { MemoryStorage } from "../../../kernel/storage/drivers/memory.ts";
import { readText } from "../../../kernel/storage/text-range.ts";
import { nodeHash, TestClock } from "../../support/ports.ts";

async function holding(content: string | Uint8Array): Promise<MemoryStorage> {
  const files = new MemoryStorage({ clock: new TestClock(), hash: nodeHash });
  await files.put("/a", typeof content === "string" ? new TextEncoder().encode(content) : content);
  return files;
}

const text = "a\u00e9文😀\ufeffz\n".repeat(40);

describe("a text file read in parts", () => {
  test("comes out whole, whatever the size of the parts", async () => {
    const files = await holding(text);
    for (let length = 4; length < 30; length++) {
      let [read, offset, parts]: [string, number | null, number] = ["", 0, 0];
      while (offset !== null && parts++ < 1_000) {
        const part = await readText(files, "/a", { offset, length });
        if (!part.ok) throw new Error(part.error.message);
        expect(part.value.offset).toBe(offset);
        expect(part.value.content).not.toBe("");
        read += part.value.content;
        offset = part.value.nextOffset;
      }
      expect(read, `parts of ${length}`).toBe(text);
    }
  });

  test("starts at the character that an offset points into", async () => {
    const files = await holding("x😀y");
    for (const offset of [1, 2, 3, 4]) {
      expect(await readText(files, "/a", { offset, length: 4 })).toMatchObject({
        ok: true,
        value: { offset: 1, content: offset === 1 ? "😀" : "😀y" },
      });
    }
  });

  test("ends at its end, also when it is empty or the offset lies beyond", async () => {
    expect(await readText(await holding(""), "/a", { offset: 0, length: 4 })).toMatchObject({
      value: { content: "", offset: 0, nextOffset: null },
    });
    for (const offset of [3, 4, 5, 1_000]) {
      expect(await readText(await holding("abc"), "/a", { offset, length: 4 }), String(offset)).toMatchObject({
        value: { content: "", offset: 3, nextOffset: null },
      });
    }
  });

  test.each([
    ["a picture", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0)],
    ["UTF-16", Uint8Array.of(0xff, 0xfe, 0x61, 0x00)],
    ["text with a NUL", Uint8Array.of(0x61, 0x00, 0x62)],
    ["a character cut off by the end of the file", Uint8Array.of(0x61, 0xe6, 0x96)],
    ["nothing but tails of characters", new Uint8Array(50).fill(0x80)],
  ])("is refused when it is %s", async (_, bytes) => {
    const read = await readText(await holding(bytes), "/a", { offset: 0, length: 40 });
    expect(read).toMatchObject({ ok: false, error: { code: "unsupported_media_type" } });
    expect(!read.ok && read.error.message).toContain("is binary");
  });
});
