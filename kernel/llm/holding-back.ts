import { LIMITS } from "../limits.ts";
import type { Fetch } from "../ports.ts";

/**
 * A way to send a request after which it is known of a failed one whether the vendor can have billed it.
 *
 * workerd says "Network connection lost" of a closed port, of a dead connection out of its pool, and of one that broke while
 * the vendor was at work: same words, same properties. So the last byte of the body is kept back for a moment. JSON without
 * its last byte is no request that anybody could answer, and what fails in that moment was never asked for. What fails later
 * stays in doubt. It costs the moment, so it is for a call that follows a failed one.
 */

/** The request cannot have been answered: its end was never handed out. */
export class UnsentError extends Error {
  override readonly name = "UnsentError";
}

export function holdingBack(fetch: Fetch): Fetch {
  return async (input, init) => {
    if (typeof init?.body !== "string") return fetch(input, init);
    const body = new HeldBody(init.body);
    const headers = new Headers(init.headers);
    headers.set("content-length", String(body.bytes));
    // `duplex` is what the platform's types do not know and Node's `fetch` wants of a streamed body.
    const streamed = { ...init, headers, body: body.stream, duplex: "half" };
    try {
      return await fetch(input, streamed);
    } catch (cause) {
      throw body.handedOut ? cause : new UnsentError("the request was not sent", { cause });
    } finally {
      body.release();
    }
  };
}

class HeldBody {
  readonly bytes: number;
  readonly stream: ReadableStream<Uint8Array>;
  handedOut = false;
  readonly #pause: Promise<void>;
  readonly #timer: ReturnType<typeof setTimeout>;
  #release: () => void = () => {};

  constructor(text: string) {
    const bytes = new TextEncoder().encode(text);
    this.bytes = bytes.length;
    this.#pause = new Promise((resolve) => (this.#release = resolve));
    this.#timer = setTimeout(this.#release, LIMITS.heldByteMs);
    const parts = [bytes.subarray(0, -1), bytes.subarray(-1)];
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => this.#next(parts, controller);
    this.stream = new ReadableStream({ pull }, { highWaterMark: 0 });
  }

  /** Ends the pause: the call is over, or its answer is there. */
  release(): void {
    clearTimeout(this.#timer);
    this.#release();
  }

  async #next(parts: Uint8Array[], controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const isLast = parts.length === 1;
    if (isLast) await this.#pause;
    // Before the byte itself, so that a failure in between counts as one after it.
    if (isLast) this.handedOut = true;
    const part = parts.shift();
    if (part !== undefined) controller.enqueue(part);
    if (isLast) controller.close();
  }
}
