import { beforeEach, describe, expect, test } from "vitest";
import { allows } from "../../../kernel/security/levels.ts";
import { reachOf } from "../../../kernel/security/reach.ts";
import { SYSCALLS } from "../../../kernel/syscalls/index.ts";
import { Caller } from "./calling.ts";

/** `code_run` over real QuickJS, as the door calls it. */

let caller: Caller;
beforeEach(() => {
  caller = new Caller();
});

async function contentOf(path: string): Promise<string | null> {
  const file = await caller.files.get(path);
  return file.ok ? new TextDecoder().decode(file.value.bytes) : null;
}

describe("code_run", () => {
  test("answers what the program returned, what it printed and the time that it took", async () => {
    const code = 'console.log("adding"); return { sum: input.a + input.b };';
    const result = await caller.call("code_run", { code, input: { a: 1, b: 2 } });
    expect(result).toMatchObject({ ok: true, value: { value: { sum: 3 }, printed: "adding\n", written: [] } });
    expect(result.ok && result.value["cpuMs"]).toBeGreaterThan(0);
  });

  test("writes the program's files when it has returned, and none of one that threw", async () => {
    await caller.call("code_run", { code: 'await files.write("a.txt", "1"); return 1;' });
    const failed = await caller.call("code_run", { code: 'await files.write("b.txt", "1"); throw new Error("no");' });
    expect(failed).toMatchObject({ ok: false, error: { code: "tool_failed" } });
    expect([await contentOf("/workspace/a.txt"), await contentOf("/workspace/b.txt")]).toEqual(["1", null]);
  });

  test("that a crash repeats writes nothing twice, also when the program gives something else the second time", async () => {
    const code = 'await files.write("dice.txt", String(Math.random())); return 1;';
    await caller.call("code_run", { code }, "call_same");
    const first = await contentOf("/workspace/dice.txt");
    expect(await caller.call("code_run", { code }, "call_same")).toMatchObject({ ok: true });
    expect(await contentOf("/workspace/dice.txt")).toBe(first);
  });

  test("keeps the program within the agent's paths", async () => {
    const read = await caller.call("code_run", { code: 'return await files.read("/etc/passwd");' });
    expect(read).toMatchObject({ ok: false });
    const write = await caller.call("code_run", { code: 'await files.write("/workspace/../x", "1"); return 1;' });
    expect(write).toMatchObject({ ok: false });
  });

  test("lends no network below FULL, and says so", () => {
    const entry = SYSCALLS["code_run"];
    const input = { code: "return 1;", network: true };
    const reach = (level: "ADVANCED" | "FULL") => ({ ...caller.outside, reach: reachOf(level, ["example.org"]) });
    expect(entry?.permit?.(input, reach("ADVANCED"))).toMatchObject({ code: "forbidden" });
    expect(entry?.permit?.(input, reach("FULL"))).toBeNull();
    expect(entry?.permit?.({ ...input, network: false }, reach("ADVANCED"))).toBeNull();
  });

  test("is for ADVANCED and FULL", () => {
    const levels = ["RESTRICTED", "STANDARD", "ADVANCED", "FULL"] as const;
    expect(levels.map((level) => allows(level, "code.run"))).toEqual([false, false, true, true]);
  });

  test("with network goes through the egress guard", async () => {
    Object.assign(caller.outside, { reach: reachOf("FULL", []) });
    const code = 'return await fetch("http://127.0.0.1:1/").catch((error) => error.code);';
    expect(await caller.call("code_run", { code, network: true })).toMatchObject({ value: { value: "forbidden" } });
  });
});
