import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { checkCitations, citationsOf } from "../../clients/cli/demo/citation-check.ts";
import { verdict } from "../../clients/cli/demo/expectation.ts";
import type { Page } from "../../kernel/context/page.ts";
import { aos } from "../e2e/runtime/kernel-process.ts";

const folder = mkdtempSync(join(tmpdir(), "aos-demo-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const FILLER = Array.from({ length: 3_000 }, (_, day) => `Day ${day}: nothing but rain at the northern station.`).join(
  "\n",
);

describe("the demo on the user's own text", () => {
  it("answers from one page among many, with a quote that stands there", async () => {
    const diary = file("diary.txt", `${FILLER}\nThe harbour master keeps a tame heron called Borislav.\n${FILLER}`);
    const { code, stdout } = await aos(["demo", "--file", diary, "--ask", "What is the name of the tame heron?"]);
    expect(stdout).toContain("heron called Borislav");
    expect(stdout).toMatch(/\[pg_\w+\] \S*diary\.txt: the quote of \d+ characters stands there/);
    expect(stdout).toMatch(/Audit chain of the agent: verified/);
    expect(stdout).toMatch(/Bill: \$0\.00/);
    expect(code).toBe(0);
  });

  it("answers in Chinese", async () => {
    const text = "姑苏城外有一座古桥。\n桥边住着一位老木匠，名叫沈千帆。\n每年春天他都去山里采木料。\n";
    const { code, stdout } = await aos(["demo", "--file", file("zh.txt", text), "--ask", "老木匠叫什么名字？"]);
    expect(stdout).toContain("沈千帆");
    expect(code).toBe(0);
  });

  it("ends with 1 when the text holds no answer", async () => {
    const { code, stdout } = await aos([
      "demo",
      "--file",
      file("rain.txt", FILLER),
      "--ask",
      "Who discovered penicillin?",
    ]);
    expect(stdout).toContain("FAILED: the answer quotes no page");
    expect(code).toBe(1);
  });

  it.each([
    ["absent", undefined, /there is no file/],
    ["empty", "", /is empty/],
    ["blank", " \n\t ", /white space/],
    ["binary", new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 0xff]), /is not text in UTF-8/],
  ])("refuses a file that is %s", async (name, content, message) => {
    const path = content === undefined ? join(folder, name) : file(name, content);
    const { code, stderr } = await aos(["demo", "--file", path, "--ask", "anything"]);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  it("needs a question", async () => {
    expect((await aos(["demo", "--file", file("x.txt", "x")])).code).toBe(2);
  });
});

describe("a citation", () => {
  const page = { id: "pg_1", source: "a.md", content: "The keeper\n  fears owls." } as Page;

  it("is the page named, with the last quotation before it", () => {
    const answer = 'He said “no”. “The keeper fears owls.” [pg_1]\nSee "b" [pg_2] and [pg_3]';
    expect(citationsOf(answer)).toEqual([
      { pageId: "pg_1", quote: "The keeper fears owls." },
      { pageId: "pg_2", quote: "b" },
      { pageId: "pg_3", quote: null },
    ]);
  });

  it("stands when the page says the same, whatever the white space", async () => {
    const citations = [
      { pageId: "pg_1", quote: "The keeper fears owls." },
      { pageId: "pg_1", quote: "The keeper fears cats." },
      { pageId: "pg_1", quote: null },
    ];
    const checked = await checkCitations(citations, async () => page);
    expect(checked.map(({ stands }) => stands)).toEqual([true, false, null]);
  });

  it("that does not stand fails the demo, and so does an answer without one", () => {
    const outcome = { answer: "x", tokens: 10, chains: [{ ok: true, entries: 1, head: "0" }] };
    const citation = { pageId: "pg_1", source: "a.md", quote: "x" };
    expect(verdict({}, { ...outcome, citations: [{ ...citation, stands: true }] })).toEqual([]);
    expect(verdict({}, { ...outcome, citations: [{ ...citation, stands: false }] })).toHaveLength(1);
    expect(verdict({}, { ...outcome, citations: [] })).toEqual(["the answer quotes no page"]);
    const strict = { tokens: 11, answer: "y", source: "b.md" };
    expect(verdict(strict, { ...outcome, citations: [{ ...citation, stands: true }] })).toHaveLength(3);
  });
});
