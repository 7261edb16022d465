import { err, KernelBug, ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { readBody } from "../llm/body-reader.ts";
import type { Fetch } from "../ports.ts";
import type { Credential } from "./credential.ts";
import { type EgressPolicy, parseEgress } from "./egress-env.ts";
import { targetOf } from "./egress-target.ts";
import { isRead, outOfReach, type Reach } from "./reach.ts";
import { Redactor } from "./redaction.ts";

/**
 * The one way out: every request whose target somebody outside the kernel chose goes through here, whoever makes it (tools,
 * and whatever else comes to fetch what it was told). It judges each hop of a redirect like the first, and
 * bounds bytes, time and headers. Vendors' base URLs are the operator's word and do not pass here.
 *
 * A request that acts (neither GET nor HEAD) follows no redirect: it would act somewhere else than asked, under an effect
 * that was judged for the first host. The redirect is its answer.
 *
 * A credential is put on here, after the target is judged, for its hosts and for the first origin alone; what comes back is
 * searched for it before anybody reads it.
 */

export interface EgressRequest {
  method: string;
  url: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  body?: string | undefined;
}

export interface EgressResponse {
  status: number;
  /** Of the last hop. */
  url: string;
  headers: Headers;
  bytes: Uint8Array;
  /** False when the body was longer than allowed or broke off. */
  complete: boolean;
}

export interface EgressBounds {
  reach: Reach;
  /** Carries the deadline. */
  signal: AbortSignal;
  credential?: Credential | undefined;
}

/** How requests leave. Where the platform offers a network without private addresses, guarded ones use it. */
export interface EgressRoutes {
  /** For hosts that the operator allowed. */
  allowed: Fetch;
  /** For all others. */
  public: Fetch;
}

type SendBounds = { signal: AbortSignal; redactor: Redactor };

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** What of the asker's headers another origin may see. */
const SHARED_HEADERS = new Set(["accept", "accept-language", "user-agent"]);

export class Egress {
  readonly #policy: EgressPolicy;
  readonly #routes: EgressRoutes;

  constructor(policy: EgressPolicy, routes: EgressRoutes) {
    this.#policy = policy;
    this.#routes = routes;
  }

  /** The URL to fetch, or why it is not: `forbidden` by the guard or by reach, `invalid_input` for what is no URL. */
  target(method: string, url: string, reach: Reach): Result<URL> {
    const target = targetOf(url, this.#policy.allow);
    if (!target.ok) return target;
    const error = outOfReach(reach, method, target.value);
    return error === null ? target : { ok: false, error };
  }

  /** Whether the host acts once for one key, by the operator's word. */
  honoursKeys(url: string): boolean {
    const parsed = URL.parse(url);
    return parsed !== null && this.#policy.keyed.matches(parsed);
  }

  /**
   * `outcome_unknown` = a request that acts was sent, and nobody can say whether it arrived; of a failed read nothing is left.
   * Whatever the host answered, in whatever status, is a value.
   */
  async request(request: EgressRequest, bounds: EgressBounds): Promise<Result<EgressResponse>> {
    const { credential } = bounds;
    if (credential === undefined) return await this.#follow(request, bounds);
    const target = this.target(request.method, request.url, bounds.reach);
    if (!target.ok) return target;
    if (!credential.hosts.matches(target.value)) {
      return err("forbidden", `the credential ${credential.name} is not for ${target.value.host}`);
    }
    const headers = { ...request.headers, ...credential.headers };
    return redacted(
      await this.#follow({ ...request, headers }, bounds),
      new Redactor(Object.values(credential.headers)),
    );
  }

  /** Across origins a redirect drops all but a few headers, the credential's whatever their names are. */
  async #follow(request: EgressRequest, { reach, signal, credential }: EgressBounds): Promise<Result<EgressResponse>> {
    const secret = new Set(Object.keys(credential?.headers ?? {}));
    const redactor = new Redactor(Object.values(credential?.headers ?? {}));
    let hop = request;
    for (let redirects = 0; redirects <= LIMITS.redirects; redirects++) {
      const target = this.target(hop.method, hop.url, reach);
      if (!target.ok) return redirects === 0 ? target : refusedHop(target.error.message);
      const response = await this.#send(hop, target.value, { signal, redactor });
      if (!response.ok) return response;
      const next = nextHop(hop, target.value, response.value, secret);
      if (next === null) return ok(await received(target.value, response.value, signal));
      response.value.body?.cancel().catch(() => {});
      hop = next;
    }
    return err("tool_failed", `more than ${LIMITS.redirects} redirects`);
  }

  async #send({ method, headers, body }: EgressRequest, url: URL, bounds: SendBounds): Promise<Result<Response>> {
    const fetch = this.#policy.allow.matches(url) ? this.#routes.allowed : this.#routes.public;
    try {
      const init = { method, headers: { ...headers }, redirect: "manual" as const, signal: bounds.signal };
      return ok(await fetch(url.href, body === undefined ? init : { ...init, body }));
    } catch (cause) {
      return unanswered(method, url, bounds, cause);
    }
  }
}

/** Made once per shell. A bad value of the environment is a bug of the shell: whoever starts it parses first. */
export function makeEgress(env: Readonly<Record<string, string | undefined>>, routes: EgressRoutes): Egress {
  const policy = parseEgress(env);
  if (!policy.ok) throw new KernelBug(policy.error.message);
  return new Egress(policy.value, routes);
}

function refusedHop(message: string): Result<never> {
  return err("forbidden", `the host redirected: ${message}`);
}

/** No answer: whether a request that acts arrived, the platform does not tell. */
function unanswered(method: string, url: URL, { signal, redactor }: SendBounds, cause: unknown): Result<never> {
  const why = signal.aborted ? "did not answer in time" : reasonOf(cause, redactor);
  if (!isRead(method)) return err("outcome_unknown", `${url.host} ${why}; whether it acted is not known`);
  return err(signal.aborted ? "deadline_exceeded" : "tool_unavailable", `${url.host} ${why}`);
}

/** What was thrown may repeat what was sent. It is taken out first: a cut may leave half of a secret, which nobody knows again. */
function reasonOf(cause: unknown, redactor: Redactor): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return `did not answer: ${redactor.text(message).slice(0, LIMITS.toolErrorChars)}`;
}

/** Where the response sends a request that reads; null when it is the answer. */
function nextHop(hop: EgressRequest, from: URL, response: Response, secret: ReadonlySet<string>): EgressRequest | null {
  const location = response.headers.get("location");
  if (!isRead(hop.method) || !REDIRECTS.has(response.status) || location === null) return null;
  const url = URL.parse(location, from.href);
  if (url === null) return null;
  const headers = url.origin === from.origin ? hop.headers : sharedHeaders(hop.headers, secret);
  // Its fragment is dropped, its user name is not: the guard refuses it as it would the first.
  return { method: hop.method, url: url.href, headers };
}

function sharedHeaders(headers: Readonly<Record<string, string>>, secret: ReadonlySet<string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => SHARED_HEADERS.has(name) && !secret.has(name)));
}

function redacted(result: Result<EgressResponse>, redactor: Redactor): Result<EgressResponse> {
  if (!result.ok) return { ok: false, error: { ...result.error, message: redactor.text(result.error.message) } };
  const { url, headers, bytes, complete } = result.value;
  const shown = new Headers([...headers].map(([name, value]): [string, string] => [name, redactor.text(value)]));
  return ok({ ...result.value, url: redactor.text(url), headers: shown, bytes: redactor.bytes(bytes, complete) });
}

async function received(url: URL, response: Response, signal: AbortSignal): Promise<EgressResponse> {
  const chunks: Uint8Array[] = [];
  let complete = false;
  const bounds = { signal, idleMs: LIMITS.webIdleMs, maxBytes: LIMITS.webBodyBytes };
  for await (const item of readBody(response.body, bounds)) {
    if (item.type === "bytes") chunks.push(item.bytes);
    else complete = item.why === "eof";
  }
  return { status: response.status, url: url.href, headers: response.headers, bytes: joined(chunks), complete };
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
