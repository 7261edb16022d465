import type { $ZodIssue } from "zod/v4/core";
import { err, type InputIssue, type KernelError } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";

/**
 * Violations of a schema as the outside sees them. A path starts at the part of the request: `$` is the JSON body,
 * `query`, `path` and `header` are the others; below it stands what RFC 9535 writes, e.g. `$.tools[3]`, `$["a b"]`.
 */

const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const NAME_CHARS = 64;

const ROOTS: Record<string, string> = { json: "$", query: "query", param: "path", header: "header" };

/** At most `LIMITS.inputIssues` of them: a body may hold any number of unknown fields. */
export function inputIssues(target: string, issues: readonly $ZodIssue[]): InputIssue[] {
  const root = ROOTS[target] ?? target;
  return issues.flatMap((issue) => namedIssues(root, issue)).slice(0, LIMITS.inputIssues);
}

function namedIssues(root: string, issue: $ZodIssue): InputIssue[] {
  if (issue.code !== "unrecognized_keys") return [{ path: jsonPath(root, issue.path), message: issue.message }];
  const keys = issue.keys.slice(0, LIMITS.inputIssues);
  return keys.map((key) => ({ path: jsonPath(root, [...issue.path, key]), message: "There is no such field" }));
}

/** Them as one error, for routes that the router validates nothing of. */
export function invalidInput(target: string, found: readonly $ZodIssue[]): KernelError {
  const issues = inputIssues(target, found);
  const [first] = issues;
  return err("invalid_input", `${first?.path}: ${first?.message}.`, { issues }).error;
}

/** Strings with lone surrogates are no Unicode text: they cannot be stored and read back the same. */
export function textIssues(target: string, value: unknown): InputIssue[] {
  const issues: InputIssue[] = [];
  const open: { path: PropertyKey[]; value: unknown }[] = [{ path: [], value }];
  for (let next = open.pop(); next !== undefined && issues.length < LIMITS.inputIssues; next = open.pop()) {
    const { path, value } = next;
    if (typeof value === "string") {
      if (value.isWellFormed()) continue;
      issues.push({
        path: jsonPath(ROOTS[target] ?? target, path),
        message: "The text holds half of a surrogate pair",
      });
    } else if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) open.push({ path: [...path, keyOf(value, key)], value: item });
    }
  }
  return issues;
}

function keyOf(parent: object, key: string): PropertyKey {
  return Array.isArray(parent) ? Number(key) : key;
}

function jsonPath(root: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => text + step(part), root);
}

function step(part: PropertyKey): string {
  if (typeof part === "number") return `[${part}]`;
  const name = String(part).slice(0, NAME_CHARS).toWellFormed();
  return PLAIN_NAME.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}
