import type { OpenApiDocument } from "./document.ts";
import { KnownNames } from "./known-names.ts";
import { ReplyCheck } from "./reply-check.ts";
import type { FuzzedRequest } from "./requests.ts";

/** Sends fuzzed requests to a kernel, so many at once, and keeps what was answered. */

const AT_ONCE = 24;
const REPLY_MS = 60_000;
const SHOWN_CHARS = 300;
/** What is named by a request that deletes is gone for all later ones: of so many of them, one names what is there. */
const SPARED = 8;

export class FuzzRun {
  /** What lies behind the placeholders of paths. */
  readonly known = new KnownNames();
  readonly statuses = new Map<number, number>();
  /** Each with its request. */
  readonly wrong: string[] = [];
  readonly #url: string;
  readonly #key: string;
  readonly #check: ReplyCheck;

  constructor(kernel: { url: string; adminKey: string }, document: OpenApiDocument) {
    this.#url = kernel.url;
    this.#key = kernel.adminKey;
    this.#check = new ReplyCheck(document);
  }

  async sendAll(requests: readonly FuzzedRequest[]): Promise<void> {
    const queue = requests.entries();
    const work = async () => {
      for (const [turn, request] of queue) await this.#send(request, turn);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  async #send(request: FuzzedRequest, turn: number): Promise<void> {
    const url = this.#urlOf(request, turn);
    try {
      const misfit = await this.#ask(request, url);
      if (misfit !== null) this.#note(request, url, misfit);
    } catch (cause) {
      this.#note(request, url, `no reply: ${String(cause)}`);
    }
  }

  /** What is wrong with the reply, or null. */
  async #ask({ method, path, headers, body }: FuzzedRequest, url: URL): Promise<string | null> {
    const response = await fetch(url, {
      method,
      headers: { ...headers, Authorization: `Bearer ${this.#key}` },
      body,
      signal: AbortSignal.timeout(REPLY_MS),
    });
    const type = response.headers.get("Content-Type") ?? "";
    const text = await textOf(response, type);
    if (response.ok) this.known.learn(path, text);
    this.statuses.set(response.status, (this.statuses.get(response.status) ?? 0) + 1);
    const misfit = this.#check.misfit(method, url.pathname, { status: response.status, type, text });
    return misfit === null ? null : `${response.status} ${misfit}: ${text.slice(0, SHOWN_CHARS)}`;
  }

  #urlOf({ method, path, query, names }: FuzzedRequest, turn: number): URL {
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, placeholder: string) => {
      const isSpared = method === "DELETE" && turn % SPARED !== 0;
      const there = isSpared ? `${placeholder}_0` : this.known.pick(path, placeholder, turn);
      return encodeURIComponent((names[placeholder] ?? there).toWellFormed());
    });
    return new URL(`${this.#url}${filled}${query === "" ? "" : `?${query}`}`);
  }

  #note({ method, body }: FuzzedRequest, { pathname, search }: URL, what: string): void {
    this.wrong.push(`${method} ${pathname}${search} ${String(body).slice(0, SHOWN_CHARS)} -> ${what}`);
  }
}

/** Streams of events have no end. */
async function textOf(response: Response, type: string): Promise<string> {
  if (!type.startsWith("text/event-stream")) return await response.text();
  await response.body?.cancel();
  return "";
}
