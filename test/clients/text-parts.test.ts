import { describe, expect, it } from "vitest";
import { textParts } from "../../clients/sdk/client/text-parts.ts";

describe("a text that is too long for one request", () => {
  it("is one part when it is short, and none when it is empty", () => {
    expect([...textParts("short", 10)]).toEqual(["short"]);
    expect([...textParts("", 10)]).toEqual([]);
  });

  it("is cut after a line where there is one in the second half", () => {
    expect([...textParts("aaaaaa\nbbbbbb\n", 10)]).toEqual(["aaaaaa\n", "bbbbbb\n"]);
  });

  it("is cut anywhere when its lines are too long, and nothing is lost", () => {
    const parts = [...textParts("x".repeat(25), 10)];
    expect(parts.map((part) => part.length)).toEqual([10, 10, 5]);
  });

  it("is never cut inside a character", () => {
    const text = "𠮷".repeat(20);
    for (const chars of [3, 4, 5, 7]) {
      const parts = [...textParts(text, chars)];
      expect(parts.join("")).toBe(text);
      for (const part of parts) expect(part.isWellFormed()).toBe(true);
    }
  });
});
