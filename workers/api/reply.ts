import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Result } from "../../kernel/errors.ts";
import type { AppContext } from "./context.ts";
import { problem } from "./problem.ts";

/** The last line of most routes: a result becomes JSON with `status`, a failure its problem document. */
export function reply<T extends object, Status extends ContentfulStatusCode>(
  c: AppContext,
  result: Result<T>,
  status: Status,
) {
  return result.ok ? c.json(result.value, status) : problem(c, result.error);
}
