/** Waits for another object at most `ms`; null when it did not answer in time or broke. Its effect may still happen. */
export async function within<T>(ms: number, what: string, answer: Promise<T>): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } catch (cause) {
    console.error(`${what} failed`, cause);
    return null;
  } finally {
    clearTimeout(timer);
  }
}
