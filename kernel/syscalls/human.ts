import * as z from "zod";
import { LIMITS } from "../limits.ts";
import { type Syscall, syscall } from "../syscall.ts";

/** People in the loop. The process waits, at no cost, until somebody answers. */

const askPerson = syscall({
  name: "ask_person",
  description:
    "Ask a person and wait for the answer. Only for what you cannot find out or decide yourself: the wait may be long.",
  input: z.strictObject({
    question: z.string().min(1).max(LIMITS.questionChars).describe("One question, with what is needed to answer it."),
    options: z
      .array(z.string().min(1).max(LIMITS.questionOptionChars).describe("One answer."))
      .min(1)
      .max(LIMITS.questionOptions)
      .optional()
      .describe("Answers to choose from; absent = the person writes freely."),
  }),
  capability: "own.read",
  effect: "control",
  timeoutMs: LIMITS.toolMs,
  control: ({ question, options }) => ({ type: "ask", question, options: options ?? null }),
});

export const HUMAN_CALLS: readonly Syscall[] = [askPerson];
