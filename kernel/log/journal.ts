import * as z from "zod";

/** The journal: the log seen step by step. A step is one model call with the tool calls it asked for. */

export const stepView = z.object({
  /** 1, 2, 3, ... over the life of the process. */
  step: z.int(),
  /** The message that the step worked on. */
  messageId: z.string(),
  state: z.enum(["running", "done", "failed"]),
  model: z.string(),
  promptTokens: z.int(),
  cachedTokens: z.int(),
  completionTokens: z.int(),
  costNanoUsd: z.int(),
  costUsd: z.string(),
  /** Pages faulted in before the call. */
  faults: z.object({ minor: z.int(), major: z.int() }),
  toolCalls: z.array(
    z.object({ callId: z.string(), name: z.string(), ok: z.boolean().nullable(), code: z.string().optional() }),
  ),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
});
export type StepView = z.infer<typeof stepView>;
