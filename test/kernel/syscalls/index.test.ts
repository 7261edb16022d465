import { describe, expect, test } from "vitest";
import { KernelBug } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import type { PermissionLevel } from "../../../kernel/process/spec.ts";
import { allows } from "../../../kernel/security/levels.ts";
import { SYSCALLS, tableOf } from "../../../kernel/syscalls/index.ts";

describe("the table of system calls", () => {
  test("holds each call under its own name, and cannot be changed", () => {
    for (const [name, call] of Object.entries(SYSCALLS)) expect(call.name).toBe(name);
    expect(Object.isFrozen(SYSCALLS)).toBe(true);
    expect(Object.values(SYSCALLS).every(Object.isFrozen)).toBe(true);
  });

  test("holds nothing that nobody put there", () => {
    for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty", ""]) {
      expect(SYSCALLS[name], name).toBeUndefined();
    }
  });

  test("takes a second call of one name as a bug", () => {
    const calls = Object.values(SYSCALLS);
    expect(() => tableOf([...calls, ...calls.slice(0, 1)])).toThrow(KernelBug);
  });

  test("gives the levels what the kernel's design gives them", () => {
    const closedTo = (level: PermissionLevel) =>
      Object.values(SYSCALLS)
        .filter((call) => !allows(level, call.capability))
        .map((call) => call.name);
    const closed = ["file_write", "file_delete", "web_fetch", "http_request", "code_run"];
    expect(closedTo("RESTRICTED")).toEqual(closed);
    expect([closedTo("STANDARD"), closedTo("ADVANCED"), closedTo("FULL")]).toEqual([["code_run"], [], []]);
  });

  test("says of each call what a crash leaves behind", () => {
    const effects = Object.values(SYSCALLS).map(({ name, effect }) => [name, effect]);
    expect(Object.fromEntries(effects)).toEqual({
      memory_search: "pure",
      memory_read: "pure",
      memory_note: "internal",
      memory_pin: "internal",
      memory_unpin: "internal",
      memory_forget: "internal",
      file_read: "pure",
      file_write: "idempotent",
      file_list: "pure",
      file_delete: "idempotent",
      calculate: "pure",
      time_now: "pure",
      web_fetch: "pure",
      http_request: "by-input",
      code_run: "by-input",
      ask_person: "control",
      exit: "control",
    });
  });

  test("refuses unknown fields everywhere", () => {
    for (const call of Object.values(SYSCALLS)) {
      const issues = call.input.safeParse({ surprise: 1 }).error?.issues ?? [];
      expect(
        issues.some((issue) => issue.code === "unrecognized_keys"),
        call.name,
      ).toBe(true);
    }
  });
});

describe("calls that the loop carries out", () => {
  const control = (name: string, input: unknown) => {
    const call = SYSCALLS[name];
    if (call?.effect !== "control") throw new Error(`${name} is no control call`);
    return call.control(call.input.parse(input));
  };

  test("exit ends with a result and a code", () => {
    expect(control("exit", { result: "done" })).toEqual({ type: "exit", result: "done", code: 0 });
    expect(control("exit", { result: "", code: 3 })).toEqual({ type: "exit", result: "", code: 3 });
    const tooLong = { result: "文".repeat(LIMITS.resultBytes / 3 + 1) };
    expect(SYSCALLS["exit"]?.input.safeParse(tooLong).success).toBe(false);
    for (const code of [-1, 256, 1.5])
      expect(SYSCALLS["exit"]?.input.safeParse({ result: "", code }).success).toBe(false);
  });

  test("ask_person asks, with choices or without", () => {
    expect(control("ask_person", { question: "Which?" })).toEqual({ type: "ask", question: "Which?", options: null });
    expect(control("ask_person", { question: "Which?", options: ["a", "b"] })).toMatchObject({ options: ["a", "b"] });
    expect(SYSCALLS["ask_person"]?.input.safeParse({ question: "Which?", options: [] }).success).toBe(false);
  });
});
