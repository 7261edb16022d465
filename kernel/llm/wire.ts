import * as z from "zod";

/**
 * What vendors send, as far as the kernel reads it. Unknown fields are ignored and absent ones allowed, because every
 * vendor adds and omits some; a wrong type of a known field makes the reply malformed.
 */

const toolCallDelta = z.object({
  index: z.int().nonnegative().nullish(),
  id: z.string().nullish(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
});
export type ToolCallDelta = z.infer<typeof toolCallDelta>;

const delta = z.object({
  content: z.string().nullish(),
  refusal: z.string().nullish(),
  reasoning_content: z.string().nullish(),
  /** Ollama's name for it. */
  reasoning: z.string().nullish(),
  tool_calls: z.array(toolCallDelta).nullish(),
});
export type Delta = z.infer<typeof delta>;

const choice = z.object({
  index: z.int().nullish(),
  delta: delta.nullish(),
  /** A whole reply has this instead of `delta`. */
  message: delta.nullish(),
  finish_reason: z.string().nullish(),
  /** Kimi's last chunk has its usage here. */
  usage: z.record(z.string(), z.unknown()).nullish(),
});

/** One chunk of a stream, or a whole reply. */
export const completion = z.object({
  id: z.string().nullish(),
  choices: z.array(choice).nullish(),
  usage: z.record(z.string(), z.unknown()).nullish(),
});
export type Completion = z.infer<typeof completion>;

const errorFacts = z.object({
  message: z.string().nullish(),
  type: z.string().nullish(),
  code: z.union([z.string(), z.number()]).nullish(),
});
export interface VendorError {
  message: string;
  type: string;
  code: string;
}

/** The error that `body` reports, or null when it reports none. Never throws. */
export function vendorError(body: unknown): VendorError | null {
  if (typeof body !== "object" || body === null || !("error" in body)) return null;
  const { error } = body;
  if (error === null || error === undefined) return null;
  const facts = errorFacts.safeParse(typeof error === "string" ? { message: error } : error);
  if (!facts.success) return { message: "", type: "", code: "" };
  const { message, type, code } = facts.data;
  return { message: message ?? "", type: type ?? "", code: String(code ?? "") };
}

/** JSON text as a value, or undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
