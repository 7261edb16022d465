import { setTimeout as sleep } from "node:timers/promises";
import type { Text } from "./searched.ts";

export interface Sent {
  key?: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** The one reply that has to show a secret: it is not kept. */
  shows?: boolean;
}

/** A client that keeps every reply, headers and body, as it came. */
export class Recorder {
  readonly replies: Text[] = [];
  readonly #url: string;
  readonly #key: string;

  constructor(url: string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  async send<T>(
    method: string,
    path: string,
    { key = this.#key, body, headers = {}, shows = false }: Sent = {},
  ): Promise<T> {
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...type, ...headers },
      signal: AbortSignal.timeout(60_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const head = JSON.stringify([...response.headers]);
    if (!shows) this.replies.push({ place: `${method} ${path} ${response.status}`, bytes: Buffer.from(head + text) });
    const isJson = /\bjson\b/.test(response.headers.get("content-type") ?? "");
    return (isJson ? JSON.parse(text) : { text, status: response.status }) as T;
  }

  /** Events up to a moment of silence. */
  async events(path: string, ms: number): Promise<void> {
    const headers = { authorization: `Bearer ${this.#key}`, "last-event-id": "0" };
    const response = await fetch(`${this.#url}${path}`, { headers });
    const parts: Uint8Array[] = [];
    const reader = response.body?.getReader();
    const silence = sleep(ms);
    const late = silence.then(() => ({ done: true, value: undefined }));
    for (;;) {
      const { done, value } = (await Promise.race([reader?.read(), late])) ?? { done: true, value: undefined };
      if (done || value === undefined) break;
      parts.push(value);
    }
    await reader?.cancel();
    this.replies.push({ place: `events ${path}`, bytes: Buffer.concat(parts) });
  }
}
