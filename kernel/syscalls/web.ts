import * as z from "zod";
import { err, type KernelError, ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { EgressRequest, EgressResponse } from "../security/egress.ts";
import { LABELS } from "../security/label.ts";
import { isRead, reachesAny } from "../security/reach.ts";
import { Redactor } from "../security/redaction.ts";
import type { SandboxResponse } from "../security/sandbox/sandbox.ts";
import { type CallContext, type Outside, type Syscall, syscall, type ToolValue } from "../syscall.ts";
import { bodyText } from "../tools/builtin/web/body-text.ts";

/**
 * Requests to the outside, through the egress guard. A request that reads may be made again; any other carries the call's id
 * as `Idempotency-Key`, and may be sent again only to a host that honours it by the operator's word. A request may name a
 * credential that the process was granted: the guard puts it on, and the model sees neither it nor its echo.
 */

const ACCEPT = "text/html, text/plain, text/markdown, application/json;q=0.9, */*;q=0.5";
const USER_AGENT = "agent-os-kernel";

/** What the kernel and the connection say of a request, the asker does not. */
const RESERVED =
  /^(?:host|connection|keep-alive|te|trailer|transfer-encoding|content-length|upgrade|expect|via|forwarded|idempotency-key|proxy-.*|x-forwarded-.*|cf-.*)$/;
const HIDDEN = /^(?:set-cookie|cf-.*|nel|report-to|content-security-policy.*)$/;

const url = z.string().min(1).max(LIMITS.urlChars).describe("An absolute https URL.");

const credential = z.string().max(LIMITS.nameChars).describe("Name of a granted credential.").optional();

/** Headers as people and models give them. */
export const givenHeaders = z
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
    headers: givenHeaders.optional().describe("Names and values."),
    body: z
      .string()
      .refine(
        (text) => new TextEncoder().encode(text).length <= LIMITS.webRequestBytes,
        `at most ${LIMITS.webRequestBytes} bytes`,
      )
      .optional()
      .describe("Text; say what it is in the content-type header."),
    credential,
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
  permit: (input, outside) => refusal(input, outside),
  irreversible: ({ method, url }) => (method === "DELETE" ? `DELETE ${url} cannot be undone` : null),
  hostOf: ({ url }) => hostOf(url),
  outward: ({ method, url, headers = {}, body }) => ({
    act: isRead(method) ? "read" : "write",
    url,
    isBare: Object.keys(headers).length === 0 && body === undefined,
  }),
  brings: ({ credential }) => (credential === undefined ? LABELS.web : LABELS.document),
  timeoutMs: LIMITS.webMs,
  run: (context, input) =>
    sendGiven(context, input, (response) => {
      const { status, url: last, headers } = response;
      return { status, url: last, headers: shown(headers), ...textOf(response, true) };
    }),
});

const webFetch = syscall({
  name: "web_fetch",
  description: "Read a web page or a text file on the web: its words, without markup.",
  input: z.strictObject({ url, credential }),
  capability: "web.get",
  effect: "pure",
  isOffered: ({ reach }) => reachesAny(reach),
  permit: (input, outside) => refusal({ method: "GET", ...input }, outside),
  hostOf: ({ url }) => hostOf(url),
  outward: ({ url }) => ({ act: "read", url, isBare: true }),
  brings: ({ credential }) => (credential === undefined ? LABELS.web : LABELS.document),
  timeoutMs: LIMITS.webMs,
  run: (context, { url, credential }) =>
    send(context, { method: "GET", url, headers: { accept: ACCEPT }, credential }, (response) => {
      const { status, url: last } = response;
      return { status, url: last, ...textOf(response, false) };
    }),
});

/** The same for a program in the sandbox: status, headers and text. */
export async function sendChecked(
  context: CallContext,
  input: z.output<typeof requestInput>,
): Promise<Result<SandboxResponse>> {
  const refused = refusal(input, context);
  if (refused !== null) return { ok: false, error: refused };
  return sendGiven(context, input, (response) => {
    const { text } = bodyText(response, { markup: true });
    return { status: response.status, headers: shown(response.headers), body: text ?? "" };
  });
}

/** Whatever acts carries the call's id as its key. */
function sendGiven<T>(
  context: CallContext,
  { method, url, headers = {}, body, credential }: z.output<typeof requestInput>,
  read: (response: EgressResponse) => T,
): Promise<Result<T>> {
  const key: Record<string, string> = isRead(method) ? {} : { "idempotency-key": context.callId };
  const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return send(context, { method, url, headers: { ...given, ...key }, body, credential }, read);
}

export const WEB_CALLS: readonly Syscall[] = [webFetch, httpRequest];

function hostOf(url: string): string | null {
  return URL.parse(url)?.host ?? null;
}

function refusal(
  { method, url, credential }: { method: string; url: string; credential?: string | undefined },
  { egress, reach, mayUse }: Outside,
): KernelError | null {
  const target = egress.target(method, url, reach);
  if (!target.ok) return target.error;
  if (credential === undefined || mayUse.includes(credential)) return null;
  const granted = mayUse.length === 0 ? "none" : mayUse.join(", ");
  return err("forbidden", `this process was not granted the credential ${credential}; it was granted ${granted}`).error;
}

interface Sending extends EgressRequest {
  credential?: string | undefined;
}

/** What `read` makes of the answer. Decoding may bring a secret to light that the bytes did not show: it is looked for again. */
async function send<T>(
  context: CallContext,
  { credential: name, ...request }: Sending,
  read: (response: EgressResponse) => T,
): Promise<Result<T>> {
  const { egress, reach, signal, credentials } = context;
  const credential = name === undefined ? ok(undefined) : await credentials.open(name);
  if (!credential.ok) return credential;
  const headers = { "user-agent": USER_AGENT, ...request.headers };
  const response = await egress.request({ ...request, headers }, { reach, signal, credential: credential.value });
  if (!response.ok) return response;
  const value = read(response.value);
  if (credential.value === undefined) return ok(value);
  return ok(new Redactor(Object.values(credential.value.headers)).value(value) as T);
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
