import * as z from "zod";
import { LIMITS } from "../../kernel/limits.ts";
import { problemDocument } from "./problem.ts";

/** The recurring parts of route definitions, so that a definition says only what is its own. */

/** A reply with JSON. */
export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { content: { "application/json": { schema } }, description };
}

/** The JSON body that a route takes; `jsonBody` stands before it as the route's middleware. */
export function takes<Schema extends z.ZodType>(schema: Schema) {
  return { required: true as const, content: { "application/json": { schema } } };
}

/** Every route's other replies. Codes and their statuses stand in one table, so one entry serves them all. */
export const failures = {
  default: {
    content: { "application/problem+json": { schema: problemDocument } },
    description: "An error: see `code`.",
  },
};

/** `{items, nextCursor}`, the shape of every list. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().meta({ description: "Give it as `cursor` for the next page; null at the end." }),
  });
}

/** An empty query parameter says nothing, as in a form that was left blank. */
function absentWhenBlank(value: unknown): unknown {
  return value === "" ? undefined : value;
}

const DECIMAL = /^-?\d{1,15}(?:\.\d{1,9})?$/;

/** Anything that is no plain decimal number stays text, and the schema says so. */
function numberOf(value: unknown): unknown {
  return typeof value === "string" && DECIMAL.test(value) ? Number(value) : absentWhenBlank(value);
}

/** A parameter that is text; `description` is what the reference says of it. */
export function parameter<Schema extends z.ZodType>(schema: Schema, description: string) {
  return z.preprocess(absentWhenBlank, schema).meta({ description });
}

/** A parameter that is a number. */
export function numeric<Schema extends z.ZodType>(schema: Schema, description: string) {
  return z.preprocess(numberOf, schema).meta({ description });
}

export const pageQuery = {
  limit: numeric(
    z.int().min(1).max(LIMITS.pageListMax).optional(),
    `Items a page, at most ${LIMITS.pageListMax}; ${LIMITS.pageListDefault} when absent.`,
  ),
  cursor: parameter(z.string().max(LIMITS.cursorChars).optional(), "`nextCursor` of the page before."),
};

export const agentParams = z.object({ id: z.string().meta({ description: "The agent's id, `agt_...`." }) });

export const idempotencyHeader = z.object({
  "Idempotency-Key": z
    .string()
    .regex(/^[\x21-\x7e]+$/, "1 or more printable ASCII characters, no spaces")
    .max(LIMITS.idempotencyKeyChars)
    .optional()
    .meta({
      description:
        "Any unique text. The same key with the same body replays the first reply for 24 hours; with another body it is 422.",
    }),
});
