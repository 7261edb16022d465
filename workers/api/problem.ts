import * as z from "zod";
import { ERRORS, type ErrorCode, err, type KernelError } from "../../kernel/errors.ts";
import type { AppContext } from "./context.ts";

/** Errors as the outside sees them: `application/problem+json` (RFC 9457), from the kernel's one table of codes. */

export type ErrorStatus = (typeof ERRORS)[ErrorCode]["status"];

const CODES = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];

export const problemDocument = z
  .object({
    type: z.string().meta({ description: "Where the code is explained, relative to this kernel." }),
    title: z.string().meta({ description: "The code in words; the same for every error with this code." }),
    status: z.int(),
    code: z.enum(CODES),
    detail: z.string().meta({ description: "What was wrong this time, and what to do." }),
    requestId: z.string().meta({ description: "The value of `X-Request-Id`; quote it when you ask for help." }),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .meta({
        description: "One entry per violation; a path such as `$.quotas.tokens`, `query.limit` or `header.If-Match`.",
      }),
  })
  .meta({ id: "Problem" });
export type ProblemDocument = z.infer<typeof problemDocument>;

/** The reply to a failed request. */
export function problem(c: AppContext, error: KernelError) {
  const { status, title } = ERRORS[error.code];
  const document: ProblemDocument = {
    type: `/docs#error-${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.message,
    requestId: c.var.requestId,
    ...(error.issues && { errors: error.issues }),
  };
  return c.json(document, status as ErrorStatus, problemHeaders(error));
}

/** `problem` for failures that the shell itself finds. */
export function refuse(c: AppContext, code: ErrorCode, message: string) {
  return problem(c, err(code, message).error);
}

function problemHeaders(error: KernelError): Record<string, string> {
  const headers: Record<string, string> = { "Content-Type": "application/problem+json" };
  if (error.code === "unauthorized") headers["WWW-Authenticate"] = 'Bearer realm="aos"';
  if (error.retryAfterMs !== undefined) headers["Retry-After"] = String(Math.ceil(error.retryAfterMs / 1_000));
  return headers;
}
