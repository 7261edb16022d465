import type { Hook } from "@hono/zod-openapi";
import { err } from "../../../kernel/errors.ts";
import type { AppEnv } from "../context.ts";
import { inputIssues, textIssues } from "../input-issues.ts";
import { problem } from "../problem.ts";

/** The hook of every schema of every route: violations become one 422 that names each. */
export const validInput: Hook<unknown, AppEnv, string, Response | undefined> = (result, c) => {
  const issues = result.success
    ? textIssues(result.target, result.data)
    : inputIssues(result.target, result.error.issues);
  const [first] = issues;
  if (first === undefined) return undefined;
  return problem(c, err("invalid_input", `${first.path}: ${first.message}.`, { issues }).error);
};
