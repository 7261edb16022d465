import type { KernelError } from "../errors.ts";
import type { Stored } from "../process/spec.ts";

/** How much more may be stored. Whoever writes pages or files asks inside the transaction of the write. */
export interface Room {
  /** One act that stores something. */
  begin(): Growth;
  /** Bytes of files that may still be stored; infinite when nobody limits them. */
  freeFileBytes(): number;
}

/** Nobody limits it. */
export const BOUNDLESS: Room = {
  begin: () => ({ take: () => null, done: () => {} }),
  freeFileBytes: () => Number.POSITIVE_INFINITY,
};

export interface Growth {
  /** Counts what is about to be written, or says why it may not be: then nothing of the act may stay. */
  take(change: Partial<Stored>): KernelError | null;
  /** All of the act is written. */
  done(): void;
}
