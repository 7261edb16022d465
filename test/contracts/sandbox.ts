import { describe, expect, test } from "vitest";
import { ok } from "../../kernel/errors.ts";
import type {
  Sandbox,
  SandboxEnd,
  SandboxHost,
  SandboxLimits,
  SandboxOutcome,
} from "../../kernel/security/sandbox/sandbox.ts";
import { CODE_LIMITS } from "../../kernel/syscalls/code.ts";

/** What every driver of the sandbox promises. A limit that a driver's table gives to the platform is not tried here. */

const LIMITS: SandboxLimits = { ...CODE_LIMITS, wallMs: 10_000 };

const HOST: SandboxHost = {
  readFile: async (path) => ok(`content of ${path}`),
  listFiles: async (prefix) => ok([`${prefix}/a`, `${prefix}/b`]),
  fetch: async ({ url }) => ok({ status: 200, headers: {}, body: url }),
};

interface Asked {
  input?: unknown;
  network?: boolean;
  host?: SandboxHost;
  limits?: SandboxLimits;
}

/** How a program ended that did not return. */
function end(outcome: SandboxOutcome): string {
  return outcome.ok ? `returned ${outcome.value}` : outcome.end;
}

export interface SandboxUnderTest {
  sandbox: Sandbox;
  promises: Record<SandboxEnd, "always" | "deployed">;
}

const RUN_OUT: readonly (readonly [what: string, code: string, end: SandboxEnd])[] = [
  ["an endless loop", "for (;;) {}", "gas"],
  ["an endless loop of awaits", "for (;;) await null;", "gas"],
  ["one instruction that goes on for hours", 'return Array.prototype.join.call({ length: 1e12 }, "");', "gas"],
  ["a search that is quadratic", 'return "a".repeat(1e6).indexOf("a".repeat(5e5) + "b");', "gas"],
  ["an endless chain of promises", "const spin = () => Promise.resolve().then(spin); await spin();", "memory"],
  ["a regular expression without end", 'return /^(a+)+$/.test("a".repeat(40) + "b");', "gas"],
  ["endless recursion", "const down = () => down() + 1; return down();", "stack"],
  ["memory in small pieces", 'const all = []; for (;;) all.push("x".repeat(1e5) + all.length);', "memory"],
  ["memory at once", "return new Uint8Array(1e9).length;", "memory"],
  ["a result that is too large", 'return "x".repeat(1e6);', "output"],
  ["a host that never answers", 'await files.read("/never"); return 1;', "wall"],
  ["a promise that nobody keeps", "await new Promise(() => {}); return 1;", "wall"],
];

/** Adds the suite for one driver. */
export function sandboxContract(name: string, { sandbox, promises }: SandboxUnderTest): void {
  function run(code: string, more: Asked = {}) {
    const { input = null, network = false, host = HOST, limits = LIMITS } = more;
    return sandbox.run({ code, input: JSON.stringify(input), limits, network }, host);
  }

  describe(`the sandbox ${name}`, () => {
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
      const tried = RUN_OUT.filter(([, , expected]) => promises[expected] === "always");

      test.each(tried)("%s ends", async (_, code, expected) => {
        const host = { ...HOST, readFile: () => new Promise<never>(() => {}) };
        const outcome = await run(code, {
          host,
          limits: { ...LIMITS, wallMs: expected === "wall" ? 500 : LIMITS.wallMs },
        });
        expect(end(outcome)).toBe(expected);
      });

      test("a host that is asked too often refuses", async () => {
        let asked = 0;
        const host = { ...HOST, readFile: async () => ok(String(++asked)) };
        const code = `
      const all = await Promise.allSettled(Array.from({ length: 1000 }, (_, i) => files.read("/" + i)));
      return all.filter(({ status }) => status === "fulfilled").length;`;
        expect(await run(code, { host })).toMatchObject({ ok: true, value: String(LIMITS.hostCalls) });
        expect(asked).toBe(LIMITS.hostCalls);
      });

      test("a result that is no JSON is none", async () => {
        const outcome = await run("JSON.stringify = () => '{'; return { toJSON() { return undefined; } };");
        expect(["error", "returned null"]).toContain(end(outcome));
      });

      test("written files that are none are not handed out", async () => {
        const code = `
      await files.write("/workspace/a.txt", "1");
      Map.prototype[Symbol.iterator] = function* () { yield [{ path: 1 }, 2]; yield 7; };
      return 1;`;
        expect(await run(code)).toMatchObject({ ok: false, end: "error", writes: [] });
      });

      test("too many files, or too much in them, are an end and not cut", async () => {
        const many = 'for (let i = 0; i < 101; i++) await files.write("/workspace/" + i, "x"); return 1;';
        expect(end(await run(many))).toBe("output");
        const large = 'await files.write("/workspace/a", "x".repeat(2000)); return 1;';
        expect(end(await run(large, { limits: { ...LIMITS, writeBytes: 1_000 } }))).toBe("output");
      });
    });

    describe("a program that tries to get out", () => {
      test.each([
        ["the function constructor", 'return Function("return this")().process === undefined;', null],
        ["the constructor chain of what is lent", 'return files.read.constructor("return typeof process")();', null],
        [
          "the functions of the host",
          "return [typeof __read, typeof __print, typeof __list];",
          '["undefined","undefined","undefined"]',
        ],
        ["imports", 'return await import("node:fs").then(() => "in", () => "out");', '"out"'],
        ["its own module", "return [typeof process, typeof Deno];", '["undefined","undefined"]'],
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
  });
}
