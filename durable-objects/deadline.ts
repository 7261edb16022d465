import { withinMs } from "../kernel/deadline.ts";

/** Waits for another object at most `ms`; null when it did not answer in time or broke. Its effect may still happen. */
export async function within<T>(ms: number, what: string, answer: Promise<T>): Promise<T | null> {
  try {
    return await withinMs(ms, answer);
  } catch (cause) {
    console.error(`${what} failed`, cause);
    return null;
  }
}
