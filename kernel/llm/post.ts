import { withDeadline } from "../deadline.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Fetch } from "../ports.ts";
import { readText } from "./body-reader.ts";
import {
  type Account,
  abortFailure,
  type ChatFailure,
  headersTimeout,
  httpFailure,
  networkFailure,
} from "./classify.ts";
import type { Deadlines } from "./openai-compatible.ts";
import { parseJson } from "./wire.ts";

/** Where a JSON body goes, and on whose account. */
export interface PostTarget {
  readonly url: string;
  readonly account: Account;
  readonly apiKey?: string | undefined;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
}

/** An accepted reply, its body unread, or what `classify.ts` makes of everything else. */
export type Posted = { ok: true; response: Response } | ChatFailure;

/** One POST to a vendor that no client package speaks for: no retry, headers within their deadline, errors read within bounds. */
export async function postJson(target: PostTarget, body: object, fetch: Fetch, signal: AbortSignal): Promise<Posted> {
  const { url, account, apiKey, deadlines, clock } = target;
  const authorization = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  const headers = { "content-type": "application/json", ...authorization };
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  try {
    const response = await withDeadline(deadlines.headersMs, signal, (limit) => fetch(url, { ...init, signal: limit }));
    if (response.ok) return { ok: true, response };
    const bounds = { signal, idleMs: deadlines.idleMs, maxBytes: LIMITS.modelErrorBytes };
    const { text } = await readText(response.body, bounds);
    const answer = { status: response.status, headers: response.headers, body: parseJson(text) };
    return httpFailure(answer, account, clock.now());
  } catch (error) {
    if (signal.aborted) return abortFailure(signal, true);
    const late = error instanceof Error && error.name === "TimeoutError";
    return late ? headersTimeout(account, deadlines.headersMs) : networkFailure(error, account);
  }
}
