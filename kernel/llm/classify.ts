import type { ErrorCode, KernelError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { Redactor } from "../security/redaction.ts";
import type { BodyEnd } from "./body-reader.ts";
import type { TokenUsage } from "./chat.ts";
import { UnsentError } from "./holding-back.ts";
import type { ChatOutcome } from "./provider.ts";
import { retryAfterMs } from "./retry-after.ts";
import { type VendorError, vendorError } from "./wire.ts";

/**
 * The one place that decides what a failed model call means: its code, whether the same request may succeed later, and
 * whether the vendor may have billed it. Loop, breaker and fallback only read the verdict.
 */

export type ChatFailure = Extract<ChatOutcome, { ok: false }>;

/** Who failed, for messages: never holds the key itself. */
export interface Account {
  name: string;
  /** The variable that holds its key or, for keyless servers, its base URL. */
  variable: string;
  baseUrl: string;
  /** Takes the key out of what the vendor says; absent = there is none. */
  redactor?: Redactor;
}

interface Verdict {
  code: ErrorCode;
  retryable: boolean;
  billed: ChatFailure["billed"];
  advice: string;
}

const BALANCE = /insufficient[_ ](quota|balance)|billing|exceeded_current_quota|spend(ing)?[_ ](cap|limit)|credit/i;
const OVERFLOW =
  /context_length_exceeded|context (length|window|size)|maximum context|prompt is too long|too many (input )?tokens|token limit/i;
const RATE = /rate_limit|too many requests|overloaded/i;
const REFUSED = /invalid_request|content_policy|moderation/i;
const NO_MODEL =
  /model_not_found|model .*(does not exist|not found)|model not exist|not found the model|unknown model/i;
/**
 * Too busy to begin, in the words of servers; and what Cloudflare answers in a server's stead when the server refused the
 * connection (521), broke off the TLS handshake (525) or showed a wrong certificate (526). 522 may come after the request.
 */
const UNDONE: ReadonlySet<number> = new Set([503, 521, 525, 526, 529]);
/** Network failures in which no request can have reached the vendor. */
const NEVER_SENT = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|CERT_|connection refused|DNS/i;

/** An answer with an error status. `now` is milliseconds since the epoch. */
export function httpFailure(
  answer: { status: number; headers: Headers | undefined; body: unknown },
  account: Account,
  now: number,
): ChatFailure {
  const facts = vendorError(answer.body) ?? { message: "", type: "", code: "" };
  const verdict = judgeStatus(answer.status, facts, account);
  const wait = retryAfterMs(answer.headers, now);
  // A key that a vendor repeats in its refusal must not get into logs.
  const said = verdict.code === "provider_auth" ? "" : quoted(facts.message, account);
  return failure(verdict, `${account.name} answered ${answer.status}${said}.`, verdict.retryable ? wait : undefined);
}

/** `{"error": ...}` inside a stream that began with status 200. */
export function streamFailure(facts: VendorError, account: Account): ChatFailure {
  const status = Number(facts.code);
  const known = Number.isInteger(status) && status >= 400 && status < 600;
  const verdict = known ? judgeStatus(status, facts, account) : judgeWords(facts, account);
  const said = verdict.code === "provider_auth" ? "" : quoted(facts.message, account);
  return failure({ ...verdict, billed: "unknown" }, `${account.name} broke off with an error${said}.`);
}

/** No answer: `error` is what `fetch` threw before the headers came. */
export function networkFailure(error: unknown, account: Account): ChatFailure {
  const neverSent = isUnsent(error) || NEVER_SENT.test(words(error));
  return failure(
    {
      code: "provider_unavailable",
      retryable: true,
      billed: neverSent ? "none" : "unknown",
      advice: "It is tried again with growing pauses.",
    },
    `${account.name} is not reachable at ${account.baseUrl}.`,
  );
}

export function headersTimeout(account: Account, waitedMs: number): ChatFailure {
  return failure(
    {
      code: "provider_unavailable",
      retryable: true,
      billed: "unknown",
      advice: "It is tried again with growing pauses.",
    },
    `${account.name} did not answer within ${waitedMs} ms.`,
  );
}

/** The stream ended, in order or not, before the vendor's terminal event. */
export function bodyFailure(why: BodyEnd, account: Account): ChatFailure {
  const cut: Record<Exclude<BodyEnd, "too_large" | "aborted">, string> = {
    eof: "ended before its terminal event",
    stalled: "stopped in the middle",
    broken: "lost its connection",
  };
  if (why === "too_large") {
    return malformed(`is larger than ${LIMITS.modelReplyBytes} bytes`, account, false);
  }
  return failure(
    {
      code: "provider_truncated",
      retryable: true,
      billed: "unknown",
      advice: "Nothing of it was used.",
    },
    `The reply of ${account.name} ${why === "aborted" ? "was aborted" : cut[why]}.`,
  );
}

export function malformed(problem: string, account: Account, retryable = true): ChatFailure {
  return failure(
    { code: "provider_malformed", retryable, billed: "unknown", advice: "Nothing of it was used." },
    `The reply of ${account.name} is not understood: it ${problem}.`,
  );
}

/** The vendor ran out of machines while it answered (DeepSeek's `insufficient_system_resource`). */
export function exhausted(account: Account): ChatFailure {
  return failure(
    {
      code: "provider_unavailable",
      retryable: true,
      billed: "unknown",
      advice: "It is tried again with growing pauses.",
    },
    `${account.name} ran out of capacity in the middle of its reply.`,
  );
}

/** The caller's signal ended the call: a deadline may be met next time, a cancellation is final. */
export function abortFailure(signal: AbortSignal, sent: boolean): ChatFailure {
  const billed = sent ? "unknown" : "none";
  const timedOut = signal.reason instanceof Error && signal.reason.name === "TimeoutError";
  return timedOut
    ? failure(
        { code: "deadline_exceeded", retryable: true, billed, advice: "" },
        "The model call reached its deadline.",
      )
    : failure({ code: "cancelled", retryable: false, billed, advice: "" }, "The model call was cancelled.");
}

/** The server shortened the prompt to its window and answered the rest of it: that is no answer to what was asked. */
export function promptCut(account: Account, usage: TokenUsage): ChatFailure {
  const cut = failure(
    { ...overflow(), billed: "unknown" },
    `${account.name} read only ${usage.promptTokens} tokens of the prompt.`,
  );
  return { ...cut, usage };
}

/** Vendors and proxies may repeat the key in what they say. */
export function withoutKey(failed: ChatFailure, key: string): ChatFailure {
  return { ...failed, error: { ...failed.error, message: new Redactor([key]).text(failed.error.message) } };
}

/** The beginning of what a vendor says. The key is taken out first: a cut may leave half of one, which nobody knows again. */
export function excerpt(words: string, { redactor }: Account): string {
  return (redactor?.text(words) ?? words).slice(0, LIMITS.modelErrorChars);
}

function judgeStatus(status: number, facts: VendorError, account: Account): Verdict {
  const text = `${facts.code} ${facts.type} ${facts.message}`;
  if (status === 401 || status === 403) return refusedKey(account);
  if (status === 402 || (status === 429 && BALANCE.test(text))) return noBalance(account);
  if (status === 429) return limited();
  // llama.cpp and Ollama answer 500 for a prompt that does not fit.
  if (status === 500 && OVERFLOW.test(text)) return overflow();
  if (status >= 500) return unavailable(UNDONE.has(status) ? "none" : "unknown");
  if (status === 408 || status === 409 || status === 425) return unavailable("none");
  if (OVERFLOW.test(text)) return overflow();
  if ((status === 404 || status === 400) && NO_MODEL.test(text)) return noModel(account);
  return refused();
}

function judgeWords(facts: VendorError, account: Account): Verdict {
  const text = `${facts.code} ${facts.type} ${facts.message}`;
  if (/authentication|invalid_api_key|permission/i.test(text)) return refusedKey(account);
  if (BALANCE.test(text)) return noBalance(account);
  if (OVERFLOW.test(text)) return overflow();
  if (RATE.test(text)) return limited();
  return REFUSED.test(text) ? refused() : unavailable("unknown");
}

function refusedKey({ variable, name }: Account): Verdict {
  return {
    code: "provider_auth",
    retryable: false,
    billed: "none",
    advice: `Set ${variable} to a valid key of ${name}.`,
  };
}

function noBalance({ name }: Account): Verdict {
  const advice = `Add credit to the account at ${name}, or raise its spend limit.`;
  return { code: "provider_balance", retryable: false, billed: "none", advice };
}

function limited(): Verdict {
  return { code: "provider_rate_limited", retryable: true, billed: "none", advice: "It is tried again when it may." };
}

function unavailable(billed: ChatFailure["billed"]): Verdict {
  return { code: "provider_unavailable", retryable: true, billed, advice: "It is tried again with growing pauses." };
}

function overflow(): Verdict {
  const advice = "The prompt is longer than the model's window; use a smaller window or a larger model.";
  return { code: "context_overflow", retryable: false, billed: "none", advice };
}

function noModel({ name }: Account): Verdict {
  return {
    code: "unknown_model",
    retryable: false,
    billed: "none",
    advice: `Name a model that ${name} serves to this key.`,
  };
}

function refused(): Verdict {
  return {
    code: "provider_rejected",
    retryable: false,
    billed: "none",
    advice: "The same request would be refused again.",
  };
}

function failure({ code, retryable, billed, advice }: Verdict, what: string, waitMs?: number): ChatFailure {
  const error: KernelError = { code, message: advice === "" ? what : `${what} ${advice}` };
  if (waitMs !== undefined) error.retryAfterMs = waitMs;
  return { ok: false, error, retryable, billed };
}

function quoted(message: string, account: Account): string {
  const text = excerpt(message.trim(), account).replace(/\.$/, "");
  return text === "" ? "" : ` (${text})`;
}

function isUnsent(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 4) return false;
  return error instanceof UnsentError || isUnsent(error.cause, depth + 1);
}

/** Messages and codes of an error and its causes; platforms hide the reason at different depths. */
function words(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 4) return "";
  const code = "code" in error ? String(error.code) : "";
  return `${error.message} ${code} ${words(error.cause, depth + 1)}`;
}
