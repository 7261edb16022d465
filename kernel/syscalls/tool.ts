import * as z from "zod";
import { LIMITS } from "../limits.ts";
import { type Syscall, syscall } from "../syscall.ts";
import { calculate as compute } from "../tools/builtin/calculator/calculate.ts";
import { timeNow as tell } from "../tools/builtin/time-now.ts";

/** Small tools that need nothing but the process itself: arithmetic, and the time. */

const calculate = syscall({
  name: "calculate",
  description:
    "Compute an arithmetic expression, exactly where that is possible. Knows + - * / ^, % as remainder (7 % 3) and as percent (17% of 340), parentheses, pi, e, and the functions sqrt, abs, round(x, places), floor, ceil, min, max, ln, log10, exp, sin, cos, tan (radians). exact is false when digits had to be rounded.",
  input: z.strictObject({
    expression: z.string().min(1).max(LIMITS.expressionChars).describe("For example (1250 * 3 + 80) / 2."),
  }),
  capability: "own.read",
  effect: "pure",
  timeoutMs: LIMITS.toolMs,
  run: async (_context, { expression }) => {
    const computed = compute(expression);
    return computed.ok ? { ok: true, value: { ...computed.value } } : computed;
  },
});

const timeNow = syscall({
  name: "time_now",
  description: "Tell the present date and time: in UTC, and in a time zone.",
  input: z.strictObject({
    timeZone: z
      .string()
      .min(1)
      .max(LIMITS.timeZoneChars)
      .default("UTC")
      .describe("IANA name of a time zone, such as Asia/Shanghai."),
  }),
  capability: "own.read",
  effect: "pure",
  timeoutMs: LIMITS.toolMs,
  run: async ({ clock }, { timeZone }) => {
    const now = tell(clock.now(), timeZone);
    return now.ok ? { ok: true, value: { ...now.value } } : now;
  },
});

export const TOOL_CALLS: readonly Syscall[] = [calculate, timeNow];
