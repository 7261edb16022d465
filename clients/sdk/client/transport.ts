import { setTimeout as sleep } from "node:timers/promises";
import { LIMITS } from "../../../kernel/limits.ts";
import { AosError } from "./aos-error.ts";

/**
 * One request to the kernel: key, JSON, deadline, errors, and trying again where that is safe. A GET is safe; a POST that
 * creates carries an `Idempotency-Key`, so the kernel replays the first reply. Anything else is sent once.
 */

export interface Endpoint {
  /** Origin of the kernel, e.g. `https://agent-os-kernel.example.workers.dev`. */
  baseUrl: string;
  /** A key of the kernel. */
  apiKey: string;
  /** The tenant to act in; only the bootstrap key may choose. */
  tenant?: string | undefined;
}

export type Query = Record<string, string | number | boolean | undefined>;

export interface Call {
  method?: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  query?: Query;
  /** Sent as JSON; bytes are sent as they are. */
  body?: object | Uint8Array<ArrayBuffer> | undefined;
  headers?: Record<string, string>;
  /** A POST that creates: a key is made when the caller gives none. */
  idempotencyKey?: string | true | undefined;
  /** Milliseconds for the whole call; 30 s when absent. */
  deadlineMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

export class Transport {
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** The JSON of the reply; `undefined` when it has no body. Throws an `AosError`. */
  async json<T>(path: string, call: Call = {}): Promise<T> {
    const response = await this.send(path, call);
    const text = await response.text();
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** The reply itself, once it is a success. Throws an `AosError`. */
  async send(path: string, call: Call = {}): Promise<Response> {
    const request = this.#request(path, call);
    const deadline = AbortSignal.timeout(call.deadlineMs ?? LIMITS.clientRequestMs);
    const signal = call.signal ? AbortSignal.any([deadline, call.signal]) : deadline;
    const tries = isSafe(call) ? LIMITS.clientTries : 1;
    for (let attempt = 1; ; attempt++) {
      const outcome = await attemptOnce(request, signal);
      if (outcome.ok) return outcome.response;
      if (attempt >= tries || !outcome.worthAnotherTry || signal.aborted) throw outcome.error;
      await sleep(LIMITS.clientBackoffMs * 2 ** (attempt - 1));
    }
  }

  /** A reply whose body may go on for ever: only its head has a deadline. Sent once; the caller's signal ends it. */
  async stream(path: string, call: Call & { signal: AbortSignal }): Promise<Response> {
    const { url, init } = this.#request(path, call);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new DOMException("no head", "TimeoutError")), LIMITS.clientRequestMs);
    const outcome = await attemptOnce({ url, init }, AbortSignal.any([call.signal, late.signal]));
    clearTimeout(timer);
    if (!outcome.ok) throw outcome.error;
    return outcome.response;
  }

  #request(path: string, call: Call): { url: URL; init: RequestInit } {
    const url = new URL(path, this.#endpoint.baseUrl);
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers: Record<string, string> = { authorization: `Bearer ${this.#endpoint.apiKey}`, ...call.headers };
    if (this.#endpoint.tenant) headers["x-aos-tenant"] = this.#endpoint.tenant;
    if (call.idempotencyKey !== undefined) headers["idempotency-key"] = keyOf(call.idempotencyKey);
    const init: RequestInit = { method: call.method ?? "GET", headers };
    if (call.body instanceof Uint8Array) init.body = call.body;
    else if (call.body !== undefined) {
      headers["content-type"] = "application/json";
      init.body = JSON.stringify(call.body);
    }
    return { url, init };
  }
}

type Attempt = { ok: true; response: Response } | { ok: false; error: AosError; worthAnotherTry: boolean };

async function attemptOnce({ url, init }: { url: URL; init: RequestInit }, signal: AbortSignal): Promise<Attempt> {
  try {
    const response = await fetch(url, { ...init, signal });
    if (response.ok) return { ok: true, response };
    return { ok: false, error: await AosError.of(response), worthAnotherTry: response.status === 503 };
  } catch (cause) {
    return { ok: false, error: noReply(url, cause), worthAnotherTry: true };
  }
}

function noReply(url: URL, cause: unknown): AosError {
  const name = (cause as Error).name;
  if (name === "TimeoutError") {
    return new AosError({ status: 0, code: "timeout", detail: `${url.origin} gave no reply in time`, cause });
  }
  if (name === "AbortError") return new AosError({ status: 0, code: "aborted", detail: "the caller gave up", cause });
  return new AosError({ status: 0, code: "unreachable", detail: `no kernel answers at ${url.origin}`, cause });
}

function isSafe(call: Call): boolean {
  return (call.method ?? "GET") === "GET" || call.idempotencyKey !== undefined;
}

function keyOf(idempotencyKey: string | true): string {
  return idempotencyKey === true ? crypto.randomUUID() : idempotencyKey;
}
