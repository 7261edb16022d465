import { describe, expect, test } from "vitest";
import { ok } from "../../../kernel/errors.ts";
import type { SandboxHost, SandboxLimits, SandboxOutcome } from "../../../kernel/security/sandbox/sandbox.ts";
import { CODE_LIMITS } from "../../../kernel/syscalls/code.ts";
import { runInQuickJs } from "../../../workers/sandbox/quickjs-run.ts";

const LIMITS: SandboxLimits = { ...CODE_LIMITS, wallMs: 20_000 };

const HOST: SandboxHost = {
  readFile: async (path) => ok(`content of ${path}`),
  listFiles: async (prefix) => ok([`${prefix}/a`, `${prefix}/b`]),
  fetch: async ({ url }) => ok({ status: 200, headers: {}, body: url }),
};

function run(code: string, more: { input?: unknown; network?: boolean; host?: SandboxHost } = {}) {
  const { input = null, network = false, host = HOST } = more;
  return runInQuickJs({ code, input: JSON.stringify(input), limits: LIMITS, network }, host);
}

/** How a program ended that did not return. */
function end(outcome: SandboxOutcome): string {
  return outcome.ok ? `returned ${outcome.value}` : outcome.end;
}

describe("a program", () => {
  test("computes with its input and returns JSON", async () => {
    const outcome = await run("return { sum: input.reduce((a, b) => a + b, 0) };", { input: [1, 2, 3] });
    expect(outcome).toMatchObject({ ok: true, value: '{"sum":6}' });
  });

  test("sees its input as the JSON that it is, names of JavaScript's own included", async () => {
    const input = JSON.parse('{"__proto__":{"admin":true},"line":"a\\u2028b"}');
    const code =
      'return [Object.keys(input), Object.hasOwn(input, "__proto__"), input.admin ?? null, input.line.length];';
    const outcome = await run(code, { input });
    expect(outcome).toMatchObject({ value: '[["__proto__","line"],true,null,3]' });
  });

  test("reads and writes files; writes are handed out, not done", async () => {
    const code = `
      const text = await files.read("/workspace/a.txt");
      await files.write("/workspace/b.txt", text.toUpperCase());
      return [await files.read("/workspace/b.txt"), await files.list("/workspace")];`;
    expect(await run(code)).toMatchObject({
      ok: true,
      value: '["CONTENT OF /WORKSPACE/A.TXT",["/workspace/a","/workspace/b"]]',
      writes: [{ path: "/workspace/b.txt", content: "CONTENT OF /WORKSPACE/A.TXT" }],
    });
  });

  test("prints, up to a bound", async () => {
    const outcome = await run('for (let i = 0; i < 20000; i++) console.log("line", { i }); return 1;');
    expect(outcome.printed.startsWith('line {"i":0}\nline {"i":1}\n')).toBe(true);
    expect(outcome.printed.length).toBeLessThan(70_000);
    expect(outcome.printed).toMatch(/more lines were not kept\n$/);
  });

  test("is told what it threw, and leaves no writes", async () => {
    const outcome = await run('await files.write("/a", "b"); throw new TypeError("no such luck");');
    expect(outcome).toMatchObject({ ok: false, end: "error", writes: [] });
    expect(outcome.ok ? "" : outcome.message).toContain("TypeError: no such luck");
  });

  test("has no network unless it is lent", async () => {
    expect(await run("return typeof fetch;")).toMatchObject({ value: '"undefined"' });
    const code = 'const reply = await fetch("https://example.org/x"); return [reply.status, await reply.text()];';
    expect(await run(code, { network: true })).toMatchObject({ value: '[200,"https://example.org/x"]' });
  });

  test("starts from nothing every time", async () => {
    await run("globalThis.left = 1; Array.prototype.at = () => 'mine'; return 1;");
    expect(await run("return [typeof left, [7].at(0)];")).toMatchObject({ value: '["undefined",7]' });
  });
});

describe("what runs out", () => {
  test.each([
    ["an endless loop", "for (;;) {}", "gas"],
    ["an endless loop of awaits", "for (;;) await null;", "gas"],
    ["an endless chain of promises", "const spin = () => Promise.resolve().then(spin); await spin();", "memory"],
    ["a regular expression without end", 'return /^(a+)+$/.test("a".repeat(40) + "b");', "gas"],
    ["endless recursion", "const down = () => down() + 1; return down();", "stack"],
    ["memory in small pieces", 'const all = []; for (;;) all.push("x".repeat(1e5) + all.length);', "memory"],
    ["memory at once", "return new Uint8Array(1e9).length;", "memory"],
    ["a result that is too large", 'return "x".repeat(1e6);', "output"],
    ["a host that never answers", 'await files.read("/never"); return 1;', "wall"],
  ])("%s ends", async (_, code, expected) => {
    const host = { ...HOST, readFile: () => new Promise<never>(() => {}) };
    LIMITS.wallMs = expected === "wall" ? 500 : 20_000;
    const begun = Date.now();
    const outcome = await run(code, { host });
    console.log(
      `${expected}: ${Date.now() - begun} ms, gas ${outcome.gas}`,
      outcome.ok || outcome.message.slice(0, 200),
    );
    expect(end(outcome)).toBe(expected);
  });
});

describe("a program that tries to get out", () => {
  test.each([
    ["the function constructor", 'return Function("return this")().process === undefined;', "true"],
    ["the constructor chain of what is lent", 'return files.read.constructor("return typeof process")();', null],
    [
      "the functions of the host",
      "return [typeof __read, typeof __print, typeof __list];",
      '["undefined","undefined","undefined"]',
    ],
    ["imports", 'return await import("node:fs").then(() => "in", () => "out");', '"out"'],
    [
      "globals of the platform",
      "return [typeof process, typeof require, typeof WebAssembly, typeof caches];",
      '["undefined","undefined","undefined","undefined"]',
    ],
    ["a closing brace in the code", "}); globalThis.escaped = 1; (async () => { return 2;", null],
    ["a getter on what it throws", "throw { get message() { return files; }, toString() { for (;;) {} } };", null],
    [
      "a prototype that lies to the host",
      'Object.prototype.ok = true; JSON.parse = () => ({ value: "mine" }); return await files.read("/a");',
      '"content of /a"',
    ],
  ])("by %s stays inside", async (_, code, value) => {
    const outcome = await run(code);
    if (value !== null) expect(outcome).toMatchObject({ ok: true, value });
    else expect(end(outcome)).toMatch(/^(?:error|returned .*)$/);
  });
});
