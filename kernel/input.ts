import type * as z from "zod";
import type { InputIssue } from "./errors.ts";

/** What is wrong with an input, as JSON paths: `$.quotas.tokens`, `$.tools[0]`. */
export function issuesOf(error: z.ZodError): InputIssue[] {
  return error.issues.map((issue) => ({ path: jsonPath(issue.path), message: issue.message }));
}

function jsonPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => text + (typeof part === "number" ? `[${part}]` : `.${String(part)}`), "$");
}
