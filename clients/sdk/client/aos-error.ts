import type { InputIssue } from "../../../kernel/errors.ts";

/** What a request can fail with: the kernel's problem document, or the reason why none came. */
export class AosError extends Error {
  override readonly name = "AosError";
  /** HTTP status; 0 when no reply came. */
  readonly status: number;
  /** The kernel's error code, e.g. `process_terminated`; `unreachable` or `timeout` when no reply came. */
  readonly code: string;
  /** What was wrong and what to do, in a sentence or two. */
  readonly detail: string;
  /** Find the request in the kernel's log by it. */
  readonly requestId: string | undefined;
  /** Which parts of the input were not valid, by JSON path; empty for any other failure. */
  readonly issues: readonly InputIssue[];

  constructor(facts: {
    status: number;
    code: string;
    detail: string;
    requestId?: string | undefined;
    issues?: readonly InputIssue[];
    cause?: unknown;
  }) {
    const issues = facts.issues ?? [];
    const untold = issues.filter(({ message }) => !facts.detail.includes(message));
    const places = untold.map((issue) => `; ${issue.path}: ${issue.message}`).join("");
    super(`${facts.code}: ${facts.detail}${places}`, { cause: facts.cause });
    this.status = facts.status;
    this.code = facts.code;
    this.detail = facts.detail;
    this.requestId = facts.requestId;
    this.issues = issues;
  }

  /** Reads the problem document of a failed reply; makes one up when the reply holds none. */
  static async of(response: Response): Promise<AosError> {
    const requestId = response.headers.get("x-request-id") ?? undefined;
    const problem = parseProblem(await response.text().catch(() => ""));
    return new AosError({
      status: response.status,
      code: problem.code ?? `http_${response.status}`,
      detail: problem.detail ?? problem.title ?? response.statusText,
      requestId: problem.requestId ?? requestId,
      issues: problem.errors ?? [],
    });
  }
}

interface Problem {
  title?: string;
  code?: string;
  detail?: string;
  requestId?: string;
  errors?: InputIssue[];
}

function parseProblem(text: string): Problem {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" ? value : {};
  } catch {
    return {};
  }
}
