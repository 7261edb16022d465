import * as z from "zod";
import { ERRORS, type ErrorCode, type KernelError } from "../../../kernel/errors.ts";
import type { ErrorStatus, ProblemDocument } from "../problem.ts";

/**
 * Errors as OpenAI's clients read them: `{error: {message, type, code, param}}`. The status and `code` are those of every
 * other route, so `quota_exceeded` is `quota_exceeded` here too; `type` is the family that these clients know.
 */

const PATHS = /^\/v1\/(?:models|chat\/completions|responses|embeddings)(?:\/|$)/;

/** Whether errors on `path` are written for OpenAI's clients. */
export function isOpenAiPath(path: string): boolean {
  return PATHS.test(path);
}

export const openAiErrorDocument = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      code: z.string(),
      param: z.string().nullable().meta({ description: "The field that is wrong, such as `messages[0].role`." }),
    }),
  })
  .meta({ id: "OpenAiError" });
export type OpenAiErrorDocument = z.infer<typeof openAiErrorDocument>;

/** The status for OpenAI's clients, which know a limit by 429, whoever set it. */
export function openAiStatus(code: ErrorCode): ErrorStatus {
  return code === "provider_rate_limited" ? 429 : (ERRORS[code].status as ErrorStatus);
}

/** A failure, as a chunk of a stream or in the body of a reply. */
export function openAiError({ code, message, issues }: KernelError): OpenAiErrorDocument {
  return { error: { message, type: typeOf(code, openAiStatus(code)), code, param: parameterOf(issues?.[0]?.path) } };
}

export function openAiErrorOf({ code, status, detail, errors }: ProblemDocument): OpenAiErrorDocument {
  return { error: { message: detail, type: typeOf(code, status), code, param: parameterOf(errors?.[0]?.path) } };
}

function parameterOf(path: string | undefined): string | null {
  return path === undefined ? null : path.replace(/^\$\.?/, "");
}

function typeOf(code: ErrorCode, status: number): string {
  if (code === "quota_exceeded") return "insufficient_quota";
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}
