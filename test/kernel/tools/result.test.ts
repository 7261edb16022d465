import { expect, test } from "vitest";
import { err, ok } from "../../../kernel/errors.ts";
import { toolResult } from "../../../kernel/tools/result.ts";

test("a value is told as ok with its fields", () => {
  expect(toolResult(ok({ result: "0.3", exact: true }))).toBe('{"ok":true,"result":"0.3","exact":true}');
  expect(toolResult(ok({}))).toBe('{"ok":true}');
});

test("a failure is told by code and message, and nothing else of it", () => {
  const failure = err("not_found", "There is no file.", { retryAfterMs: 5, issues: [{ path: "$", message: "x" }] });
  expect(toolResult(failure)).toBe('{"ok":false,"code":"not_found","message":"There is no file."}');
});

test("a value cannot pass for a failure", () => {
  expect(JSON.parse(toolResult(ok({ ok: false, code: "x" })))).toEqual({ ok: true, code: "x" });
});
