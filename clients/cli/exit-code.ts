import { CommanderError } from "commander";
import { AosError } from "../sdk/client/aos-error.ts";
import { RuntimeError } from "../sdk/runtime/runtime-error.ts";

/** What `aos` ends with, so that scripts can tell one failure from another. */
export const EXIT = {
  done: 0,
  failed: 1,
  /** Wrong command line or a bad setting. */
  usage: 2,
  /** No kernel answers, or it does not let this key in. */
  unreachable: 3,
  /** The command did its work; the process it asked about failed. */
  processFailed: 4,
} as const;

/** The command line asks for something that does not exist or does not fit together. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof RuntimeError) return error.code === "bad_setting" ? EXIT.usage : EXIT.failed;
  if (error instanceof AosError) {
    return error.status === 0 || error.status === 401 || error.status === 403 ? EXIT.unreachable : EXIT.failed;
  }
  return EXIT.failed;
}
