/**
 * Runs `work` under a signal that aborts with `abort`, or after `ms` milliseconds with a `TimeoutError`. Instead of
 * `AbortSignal.timeout`, whose timer lives on after the work: a live timer keeps a Durable Object from being evicted.
 */
export async function withDeadline<T>(
  ms: number,
  abort: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new DOMException(`no end within ${ms} ms`, "TimeoutError")), ms);
  try {
    return await work(AbortSignal.any([abort, late.signal]));
  } finally {
    clearTimeout(timer);
  }
}
