import { withinMs } from "../../kernel/deadline.ts";
import { err, ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";

/** Waits for D1 within a deadline. It throws only when it is out of order, so whatever it throws is `unavailable`. */
export async function askD1<T>(call: Promise<T>): Promise<Result<T>> {
  try {
    return (await withinMs(LIMITS.d1Ms, call.then(ok))) ?? SILENT;
  } catch (cause) {
    console.error(JSON.stringify({ level: "error", event: "d1.failed", message: String(cause) }));
    return SILENT;
  }
}

const SILENT = err("unavailable", "The database does not answer; try again.", {
  retryAfterMs: LIMITS.retryAfterMs,
});
