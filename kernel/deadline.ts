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

/**
 * What `work` comes to, or null when that takes longer than `ms`. The work itself goes on: this is for waits that are not
 * worth more, or for work that cannot be stopped.
 */
export async function withinMs<T>(ms: number, work: Promise<T>): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, ms, null);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
