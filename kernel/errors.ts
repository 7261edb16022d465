/**
 * One union of expected failures, by `code`, and one table from code to HTTP status.
 *
 * Failures travel as plain values, because classes do not survive RPC between objects. Throwing is for bugs.
 */

/** Code -> HTTP status and the title of its problem document. */
export const ERRORS = {
  invalid_json: { status: 400, title: "The body is not JSON" },
  unauthorized: { status: 401, title: "A valid key is needed" },
  forbidden: { status: 403, title: "This key or process may not do that" },
  not_found: { status: 404, title: "There is no such thing" },
  method_not_allowed: { status: 405, title: "The route does not take this method" },
  request_timeout: { status: 408, title: "The body did not arrive in time" },
  conflict: { status: 409, title: "The state does not allow that" },
  process_terminated: { status: 409, title: "The process has terminated" },
  version_conflict: { status: 409, title: "Somebody else changed it first" },
  idempotency_in_progress: { status: 409, title: "The first request with this key is still running" },
  too_large: { status: 413, title: "The body is too large" },
  unsupported_media_type: { status: 415, title: "The content type is not supported" },
  invalid_input: { status: 422, title: "The input is not valid" },
  idempotency_mismatch: { status: 422, title: "The idempotency key was used with a different body" },
  unknown_model: { status: 422, title: "Nobody serves this model" },
  unknown_tool: { status: 422, title: "There is no such tool" },
  unknown_price: { status: 422, title: "The price of this model is not known" },
  mailbox_full: { status: 429, title: "The mailbox is full" },
  quota_exceeded: { status: 429, title: "A quota is spent" },
  rate_limited: { status: 429, title: "Too many requests" },
  cancelled: { status: 409, title: "It was cancelled" },
  denied: { status: 403, title: "A person, or a rule of theirs, said no" },
  approval_expired: { status: 408, title: "Nobody approved it in time" },
  deadline_exceeded: { status: 504, title: "It took too long" },
  context_overflow: { status: 422, title: "The prompt does not fit the model's window" },
  provider_auth: { status: 502, title: "The model vendor refused the key" },
  provider_balance: { status: 502, title: "The model vendor's account has no credit" },
  provider_rate_limited: { status: 502, title: "The model vendor limits the rate" },
  provider_rejected: { status: 502, title: "The model vendor refused the request" },
  provider_unavailable: { status: 502, title: "The model vendor is not reachable" },
  provider_truncated: { status: 502, title: "The model vendor's reply was cut" },
  provider_malformed: { status: 502, title: "The model vendor's reply is not understood" },
  tool_failed: { status: 502, title: "The tool failed" },
  outcome_unknown: { status: 502, title: "Whether it happened is not known" },
  tool_unavailable: { status: 503, title: "The tool is not reachable" },
  schema_failed: { status: 503, title: "The object's schema could not be migrated" },
  unavailable: { status: 503, title: "The kernel is busy; try again" },
  internal: { status: 500, title: "A bug in the kernel" },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** One violation of an input schema. `path` is a JSON path such as `$.quotas.tokens`. */
export interface InputIssue {
  path: string;
  message: string;
}

/** An expected failure: what is wrong and what to do about it. A plain value, so it survives RPC. */
export interface KernelError {
  code: ErrorCode;
  /** One or two sentences for people: what was wrong, and what to do. Never holds a secret. */
  message: string;
  issues?: InputIssue[];
  /** Milliseconds after which trying again makes sense. */
  retryAfterMs?: number;
}

export type Result<T> = { ok: true; value: T } | { ok: false; error: KernelError };

export function ok<T>(value: T): { ok: true; value: T } {
  return { ok: true, value };
}

export function err(
  code: ErrorCode,
  message: string,
  facts: Omit<KernelError, "code" | "message"> = {},
): { ok: false; error: KernelError } {
  return { ok: false, error: { code, message, ...facts } };
}

/** A broken invariant: not a failure that a caller can handle. */
export class KernelBug extends Error {
  override readonly name = "KernelBug";
}

/** The exhaustive end of a switch over a union. */
export function unreachable(value: never): never {
  throw new KernelBug(`unreachable: ${JSON.stringify(value)}`);
}
