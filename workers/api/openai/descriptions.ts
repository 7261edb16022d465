import * as z from "zod";
import type { KernelError } from "../../../kernel/errors.ts";
import type { AppContext } from "../context.ts";
import { openAiError, openAiErrorDocument, openAiStatus } from "./openai-error.ts";

/** The recurring parts of the definitions of OpenAI-compatible routes. */

/** Every other reply of these routes. */
export const openAiFailures = {
  default: {
    content: { "application/json": { schema: openAiErrorDocument } },
    description: "An error: see `error.code`.",
  },
};

/** A reply that is JSON, or the same as Server-Sent Events with `stream: true`. */
export function jsonOrStream<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { content: { "application/json": { schema }, "text/event-stream": { schema } }, description };
}

const CACHE_HEADER = "X-AOS-Cache";

export const cacheHeader = z.object({
  [CACHE_HEADER]: z.enum(["yes", "no"]).optional().meta({
    description:
      "Whether a reply to the very same request of this tenant may be given again, and this one kept. Without the header: when `temperature` is 0 or the model is deterministic.",
  }),
});

export function cacheWish(c: AppContext): boolean | undefined {
  const wish = c.req.header(CACHE_HEADER);
  return wish === undefined ? undefined : wish === "yes";
}

/** The reply to a request that failed. */
export function openAiProblem(c: AppContext, error: KernelError) {
  const { retryAfterMs } = error;
  const headers = retryAfterMs === undefined ? {} : { "Retry-After": String(Math.ceil(retryAfterMs / 1_000)) };
  return c.json(openAiError(error), openAiStatus(error.code), headers);
}
