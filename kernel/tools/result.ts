import type { Result } from "../errors.ts";
import type { ToolValue } from "../syscall.ts";

/** The one JSON value that a model gets for a call: `{ok: true, ...value}` or `{ok: false, code, message}`. */
export function toolResult(result: Result<ToolValue>): string {
  if (!result.ok) return JSON.stringify({ ok: false, code: result.error.code, message: result.error.message });
  // `ok` first, for whoever reads it, and whatever the value says about itself.
  return JSON.stringify(Object.assign({ ok: true }, result.value, { ok: true }));
}
