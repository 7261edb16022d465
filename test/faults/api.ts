import { setTimeout as sleep } from "node:timers/promises";

/** The client's side of a kernel that dies all the time: one request, or the same one until it is acknowledged. */

export interface Reply {
  /** 0 = none came. */
  status: number;
  body: unknown;
}

export interface Call {
  method?: "GET" | "POST" | "DELETE";
  body?: object;
  idempotencyKey?: string;
}

const TRY_MS = 15_000;
const AGAIN_MS = 100;

export class Api {
  readonly url: string;
  readonly key: string;
  /** Replies that no crash explains. */
  readonly surprises: string[] = [];

  constructor(url: string, key: string) {
    this.url = url;
    this.key = key;
  }

  async once(path: string, call: Call = {}): Promise<Reply> {
    try {
      const response = await fetch(this.url + path, this.#init(call));
      const text = await response.text();
      const reply = { status: response.status, body: text === "" ? null : (JSON.parse(text) as unknown) };
      if (reply.status >= 500 && reply.status !== 503) this.surprises.push(`${call.method ?? "GET"} ${path}: ${text}`);
      return reply;
    } catch {
      return { status: 0, body: null };
    }
  }

  /** Until the kernel answers something else than "later"; null when `signal` aborts first. */
  async until(path: string, call: Call, signal: AbortSignal): Promise<Reply | null> {
    while (!signal.aborted) {
      const reply = await this.once(path, call);
      if (reply.status !== 0 && reply.status !== 429 && reply.status < 500) return reply;
      await sleep(AGAIN_MS);
    }
    return null;
  }

  #init({ method = "GET", body, idempotencyKey }: Call): RequestInit {
    const headers: Record<string, string> = { authorization: `Bearer ${this.key}` };
    if (body !== undefined) headers["content-type"] = "application/json";
    if (idempotencyKey !== undefined) headers["idempotency-key"] = idempotencyKey;
    const init: RequestInit = { method, headers, signal: AbortSignal.timeout(TRY_MS) };
    return body === undefined ? init : { ...init, body: JSON.stringify(body) };
  }
}
