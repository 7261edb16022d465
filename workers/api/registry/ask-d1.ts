import { err, ok, type Result } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";

/** Waits for D1 within a deadline. It throws only when it is out of order, so whatever it throws is `unavailable`. */
export async function askD1<T>(call: Promise<T>): Promise<Result<T>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Result<T>>((resolve) => {
    timer = setTimeout(resolve, LIMITS.d1Ms, SILENT);
  });
  try {
    return await Promise.race([call.then(ok), late]);
  } catch (cause) {
    console.error(JSON.stringify({ level: "error", event: "d1.failed", message: String(cause) }));
    return SILENT;
  } finally {
    clearTimeout(timer);
  }
}

const SILENT = err("unavailable", "The database of keys and tenants does not answer; try again.", {
  retryAfterMs: LIMITS.retryAfterMs,
});
