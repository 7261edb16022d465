import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { ObjectEnv } from "../../durable-objects/env.ts";

/**
 * A vendor inside the isolate of a story: every fetch that leaves an object for it is counted and answered at once. What it
 * counts is what a real vendor would have billed.
 */
export class CountingModel {
  /** What each request asked: the newest text of the user. */
  readonly asked: string[] = [];
  readonly #hanging = new Set<string>();

  /** Before the first object of the story is made. */
  static install(): CountingModel {
    const model = new CountingModel();
    Object.assign(env as unknown as ObjectEnv, { OPENAI_API_KEY: "test", OPENAI_BASE_URL: "https://model.test/v1" });
    const leave = globalThis.fetch;
    vi.stubGlobal("fetch", (input: RequestInfo | URL, init?: RequestInit) => {
      const request = new Request(input, init);
      return new URL(request.url).host === "model.test" ? model.#answer(request) : leave(input, init);
    });
    return model;
  }

  count(content: string): number {
    return this.asked.filter((asked) => asked === content).length;
  }

  /** Requests that ask `content` are taken and never answered, until `release`. */
  hang(content: string): void {
    this.#hanging.add(content);
  }

  /** Answers the next request that asks `content`. */
  release(content: string): void {
    this.#hanging.delete(content);
  }

  async #answer(request: Request): Promise<Response> {
    const { messages } = (await request.json()) as { messages: { role: string; content: string }[] };
    const asked = messages.findLast(({ role }) => role === "user")?.content ?? "";
    this.asked.push(asked);
    if (this.#hanging.has(asked)) await aborted(request.signal);
    const usage = { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 };
    const chunks = [
      { choices: [{ index: 0, delta: { role: "assistant", content: `echo: ${asked}` }, finish_reason: null }] },
      { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
      { choices: [], usage },
    ];
    const lines = chunks.map(
      (chunk) => `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", ...chunk })}\n\n`,
    );
    return new Response(`${lines.join("")}data: [DONE]\n\n`, { headers: { "content-type": "text/event-stream" } });
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}
