import * as z from "zod";
import { ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { EgressRequest, EgressResponse } from "../security/egress.ts";
import { isRead, reachesAny } from "../security/reach.ts";
import type { SandboxResponse } from "../security/sandbox/sandbox.ts";
import { type CallContext, type Outside, type Syscall, syscall, type ToolValue } from "../syscall.ts";
import { bodyText } from "../tools/builtin/web/body-text.ts";

/**
 * Requests to the outside, through the egress guard. A request that reads may be made again; any other carries the call's id
 * as `Idempotency-Key`, and may be sent again only to a host that honours it by the operator's word.
 */

const ACCEPT = "text/html, text/plain, text/markdown, application/json;q=0.9, */*;q=0.5";
const USER_AGENT = "agent-os-kernel";

/** What the kernel and the connection say of a request, the asker does not. */
const RESERVED =
  /^(?:host|connection|keep-alive|te|trailer|transfer-encoding|content-length|upgrade|expect|via|forwarded|idempotency-key|proxy-.*|x-forwarded-.*|cf-.*)$/;
const HIDDEN = /^(?:set-cookie|cf-.*|nel|report-to|content-security-policy.*)$/;

const url = z.string().min(1).max(LIMITS.urlChars).describe("An absolute https URL.");

const headers = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, "not the name of a header")
      .refine((name) => !RESERVED.test(name.toLowerCase()), "the kernel sets this header itself"),
    z
      .string()
      .regex(/^[\t\x20-\x7e]*$/, "printable ASCII only")
      .max(LIMITS.webHeaderChars),
  )
  .refine((all) => Object.keys(all).length <= LIMITS.webHeaders, `at most ${LIMITS.webHeaders} headers`);

/** One request as a model, or a program of its, may ask for it. */
export const requestInput = z
  .strictObject({
    method: z.enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]).default("GET").describe("GET reads."),
    url,
    headers: headers.optional().describe("Names and values."),
    body: z
      .string()
      .refine(
        (text) => new TextEncoder().encode(text).length <= LIMITS.webRequestBytes,
        `at most ${LIMITS.webRequestBytes} bytes`,
      )
      .optional()
      .describe("Text; say what it is in the content-type header."),
  })
  .refine(({ method, body }) => body === undefined || !isRead(method), {
    message: "GET and HEAD have no body",
    path: ["body"],
  });

const httpRequest = syscall({
  name: "http_request",
  description:
    "Send one HTTP request; get status, headers and text. Other methods than GET and HEAD act, follow no redirect, and carry an idempotency key by themselves.",
  input: requestInput,
  capability: "web.get",
  effect: "by-input",
  effectOf: ({ method, url }, { egress }) => {
    if (isRead(method)) return "pure";
    return egress.honoursKeys(url) ? "idempotent" : "external";
  },
  isOffered: ({ reach }) => reachesAny(reach),
  permit: ({ method, url }, outside) => refusal(method, url, outside),
  irreversible: ({ method, url }) => (method === "DELETE" ? `DELETE ${url} cannot be undone` : null),
  hostOf: ({ url }) => hostOf(url),
  timeoutMs: LIMITS.webMs,
  run: async (context, input) => {
    const response = await sendGiven(context, input);
    if (!response.ok) return response;
    const { status, url: last } = response.value;
    return ok({ status, url: last, headers: shown(response.value.headers), ...textOf(response.value, true) });
  },
});

const webFetch = syscall({
  name: "web_fetch",
  description: "Read a web page or a text file on the web: its words, without markup.",
  input: z.strictObject({ url }),
  capability: "web.get",
  effect: "pure",
  isOffered: ({ reach }) => reachesAny(reach),
  permit: ({ url }, outside) => refusal("GET", url, outside),
  hostOf: ({ url }) => hostOf(url),
  timeoutMs: LIMITS.webMs,
  run: async (context, { url }) => {
    const response = await send(context, { method: "GET", url, headers: { accept: ACCEPT } });
    if (!response.ok) return response;
    const { status, url: last } = response.value;
    return ok({ status, url: last, ...textOf(response.value, false) });
  },
});

/** The same for a program in the sandbox: status, headers and text. */
export async function sendChecked(
  context: CallContext,
  input: z.output<typeof requestInput>,
): Promise<Result<SandboxResponse>> {
  const refused = refusal(input.method, input.url, context);
  if (refused !== null) return { ok: false, error: refused };
  const response = await sendGiven(context, input);
  if (!response.ok) return response;
  const { status, headers } = response.value;
  const { text } = bodyText(response.value, { markup: true });
  return ok({ status, headers: shown(headers), body: text ?? "" });
}

/** Whatever acts carries the call's id as its key. */
function sendGiven(
  context: CallContext,
  { method, url, headers = {}, body }: z.output<typeof requestInput>,
): Promise<Result<EgressResponse>> {
  const key: Record<string, string> = isRead(method) ? {} : { "idempotency-key": context.callId };
  const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return send(context, { method, url, headers: { ...given, ...key }, body });
}

export const WEB_CALLS: readonly Syscall[] = [webFetch, httpRequest];

function hostOf(url: string): string | null {
  return URL.parse(url)?.host ?? null;
}

function refusal(method: string, url: string, { egress, reach }: Outside) {
  const target = egress.target(method, url, reach);
  return target.ok ? null : target.error;
}

function send({ egress, reach, signal }: CallContext, request: EgressRequest): Promise<Result<EgressResponse>> {
  const headers = { "user-agent": USER_AGENT, ...request.headers };
  return egress.request({ ...request, headers }, { reach, signal });
}

function textOf(response: EgressResponse, markup: boolean): ToolValue {
  const read = bodyText(response, { markup });
  if (read.text !== null) return { ...read };
  return { ...read, text: "", note: `the body is ${response.bytes.length} bytes of ${read.contentType || "no text"}` };
}

function shown(headers: Headers): Record<string, string> {
  const visible = [...headers].filter(([name]) => !HIDDEN.test(name)).slice(0, LIMITS.webHeadersShown);
  return Object.fromEntries(visible.map(([name, value]) => [name, value.slice(0, LIMITS.webHeaderShownChars)]));
}
