import * as z from "zod";
import { LIMITS } from "../limits.ts";
import { type Syscall, syscall } from "../syscall.ts";

/** What a process asks about itself. */

function fits(text: string): boolean {
  return new TextEncoder().encode(text).length <= LIMITS.resultBytes;
}

const exit = syscall({
  name: "exit",
  description:
    "End this process with its result. Nothing runs afterwards: call it alone, when the goal is reached or cannot be.",
  input: z.strictObject({
    result: z
      .string()
      .refine(fits, `at most ${LIMITS.resultBytes} bytes of UTF-8; put longer text into a file and name it`)
      .describe("What came out, for whoever started the process."),
    code: z.int().min(0).max(255).default(0).describe("0 = the goal is reached, anything else = it is not."),
  }),
  capability: "own.read",
  effect: "control",
  timeoutMs: LIMITS.toolMs,
  control: ({ result, code }) => ({ type: "exit", result, code }),
});

export const PROCESS_CALLS: readonly Syscall[] = [exit];
