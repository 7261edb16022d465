import { posix } from "node:path";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../kernel/limits.ts";
import { comparePaths, mountOf, resolvePath } from "../../../kernel/storage/path.ts";
import { nodeHash, SeededRandom } from "../../support/ports.ts";

function resolved(text: string): string {
  const path = resolvePath(text);
  return path.ok ? path.value : `refused: ${path.error.message}`;
}

describe("a path of an agent", () => {
  test.each([
    ["a.txt", "/workspace/a.txt"],
    ["./a/./b.txt", "/workspace/a/b.txt"],
    ["a/../b.txt", "/workspace/b.txt"],
    ["/workspace/a.txt", "/workspace/a.txt"],
    ["/workspace/a/../../workspace", "refused"],
    ["/workspace", "/workspace/"],
    ["/workspace/", "/workspace/"],
    ["docs/", "/workspace/docs/"],
    ["docs/.", "/workspace/docs/"],
    ["docs/..", "/workspace/"],
    [".", "/workspace/"],
    ["/", "/"],
    ["/.", "/"],
    ["/shared/x", "/shared/x"],
    ["报告/第一章.md", "/workspace/报告/第一章.md"],
    ["cafe\u0301", "/workspace/caf\u00e9"],
    ["...", "/workspace/..."],
    ["..a/b..", "/workspace/..a/b.."],
    ["~/.ssh/id", "/workspace/~/.ssh/id"],
    ["%2e%2e/%2Fetc", "/workspace/%2e%2e/%2Fetc"],
    ["\uFF0E\uFF0E/x", "/workspace/\uFF0E\uFF0E/x"],
    ["a b/👩‍👩‍👧.txt", "/workspace/a b/👩‍👩‍👧.txt"],
  ])("%j becomes %j", (text, path) => {
    expect(resolved(text).slice(0, path === "refused" ? 7 : undefined)).toBe(path);
  });

  test.each([
    ["", "empty"],
    ["..", "climbs"],
    ["../x", "climbs"],
    ["a/../../x", "climbs"],
    ["/workspace/../shared/x", "climbs"],
    ["/..", "climbs"],
    ["/../../etc/passwd", "climbs"],
    ["a//b", "empty name"],
    ["//host/share", "empty name"],
    ["a/ /b", "empty name"],
    ["file:///etc/passwd", "empty name"],
    ["a\\..\\b", "backslash"],
    ["C:\\x", "backslash"],
    ["a\0.txt", "control"],
    ["a\nb", "control"],
    ["a\x7f", "control"],
    ["a\u0085b", "control"],
    ["photo\u202Egpj.exe", "control"],
    ["a\u2028b", "control"],
    ["\ud800", "surrogate"],
    ["a\udc00b", "surrogate"],
    ["x".repeat(LIMITS.filePathChars + 1), "over"],
    ["x".repeat(LIMITS.filePathChars - 5), "over"],
    ["x".repeat(10_000_000), "over"],
  ])("%j is refused", (text, why) => {
    expect(resolved(text)).toMatch(new RegExp(`^refused: .*${why}`));
  });

  test("at its longest is taken", () => {
    expect(resolved(`/workspace/${"x".repeat(LIMITS.filePathChars - 11)}`)).toHaveLength(LIMITS.filePathChars);
  });
});

const PIECES = [
  "..",
  "../",
  "/..",
  "/../",
  "./",
  "/",
  "//",
  "/./",
  "...",
  ". .",
  " ",
  "a",
  "b.txt",
  "workspace",
  "/workspace",
  "/workspace/",
  "shared",
  "/etc/passwd",
  "%2e%2e%2f",
  "%2F",
  "%00",
  "..%2f",
  "..;/",
  "\\",
  "..\\",
  "\0",
  "\n",
  "\x1b[2J",
  "\u0301",
  "\u202E",
  "\u2024\u2024/",
  "\uFF0E\uFF0E\uFF0F",
  "\u2215",
  "\u200B",
  "\ufeff",
  "\ud800",
  "\udfff",
  "😀",
  "文",
  "é",
  "e\u0301",
  "~",
  "$HOME",
  "*",
  "?",
  "C:",
  "\u{10FFFF}",
];

function hostilePaths(count: number, seed: number): string[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => {
    const [length = 0, ...picks] = random.bytes(13);
    return picks
      .slice(0, 1 + (length % 12))
      .map((pick) => PIECES[pick % PIECES.length])
      .join("");
  });
}

describe("20,000 hostile paths", () => {
  const paths = hostilePaths(20_000, 42);
  const accepted = paths.flatMap((text) => {
    const path = resolvePath(text);
    return path.ok ? [{ text, path: path.value }] : [];
  });

  test("are a fair mix of legal and illegal ones", () => {
    expect(accepted.length).toBeGreaterThan(1_000);
    expect(accepted.length).toBeLessThan(19_000);
  });

  test("never leave the mount that they name, by the word of POSIX too", () => {
    for (const { text, path } of accepted) {
      const normal = text.normalize("NFC");
      const byPosix = posix.normalize(posix.join(normal.startsWith("/") ? "/" : "/workspace", normal));
      expect(path.replace(/\/$/, ""), JSON.stringify(text)).toBe(byPosix.replace(/\/$/, ""));
      if (!normal.startsWith("/")) expect(mountOf(path), JSON.stringify(text)).toBe("/workspace");
    }
  });

  test("have no name left that means another place", () => {
    for (const { text, path } of accepted) {
      const names = path.replace(/\/$/, "").split("/").slice(1);
      const wrong = names.filter((name) => name.trim() === "" || name === "." || name === "..");
      expect(wrong.length === 0 || path === "/", JSON.stringify(text)).toBe(true);
      expect(/[\p{Cc}\\]/u.test(path), JSON.stringify(text)).toBe(false);
      expect(path.isWellFormed() && path === path.normalize("NFC"), JSON.stringify(text)).toBe(true);
    }
  });

  test("have one spelling: resolving again changes nothing", () => {
    for (const { path } of accepted) expect(resolved(path)).toBe(path);
  });
});

test("paths order as their UTF-8 bytes do", () => {
  const paths = hostilePaths(2_000, 9).filter((text) => text.isWellFormed());
  const bytes = (text: string) =>
    [...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const byBytes = [...paths].sort((a, b) => (bytes(a) < bytes(b) ? -1 : Number(bytes(a) !== bytes(b))));
  expect(nodeHash.sha256([...paths].sort(comparePaths).join("\0"))).toBe(nodeHash.sha256(byBytes.join("\0")));
});
