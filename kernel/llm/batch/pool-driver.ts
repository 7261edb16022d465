import { estimateTokens } from "../../context/tokens.ts";
import { withDeadline } from "../../deadline.ts";
import type { Result } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { ChatRequest } from "../chat.ts";
import type { Pass } from "../gate/pass.ts";
import type { ChatOutcome, Provider } from "../provider.ts";
import { type BatchDriver, hidden, type JobDesk, type LotRequest, type Progress, pauseMs, unbilled } from "./driver.ts";

/** Asks the vendor account's gate for one call that counts for so many tokens. Waits for some seconds at most. */
export type EnterGate = (tokens: number) => Promise<Result<Pass>>;

/**
 * Batches for vendors without a Batch API: ordinary calls, a few at a time, from the job's own object. It is billed for
 * waiting, but waits for all calls of the pool at once, which makes a call cost a sixth of one that an agent waits for
 * alone; a queue would cost its own operations instead, and loses what it holds when the local runtime is killed.
 *
 * A call is marked `sent` right before it is made. One that is found so in a later life was hidden by a crash: it is billed
 * as unknown and made again under a new id.
 */
export class PoolDriver implements BatchDriver {
  readonly limits = { requests: LIMITS.batchPoolWave, bytes: LIMITS.batchLotBytes };
  readonly priceFactor = 1;
  readonly #provider: Provider;
  readonly #enter: EnterGate;

  constructor(provider: Provider, enter: EnterGate) {
    this.#provider = provider;
    this.#enter = enter;
  }

  async advance(desk: JobDesk, signal: AbortSignal): Promise<Progress> {
    for (const lost of desk.requests("sent", -1, LIMITS.batchPoolWave)) {
      this.#conclude(desk, lost, { ...hidden("A crash hid the outcome of this call."), retryable: true });
    }
    desk.running();
    const line = desk.requests("reserved", -1, LIMITS.batchPoolWave).values();
    const until = desk.now() + LIMITS.batchPoolMs;
    const pauses = await Promise.all(
      Array.from({ length: LIMITS.batchPoolCalls }, () => this.#work(desk, line, until, signal)),
    );
    const why = desk.stopping();
    if (why !== null) return { kind: "ended", rest: unbilled(why) };
    const isDone = desk.requests("reserved", -1, 1).length === 0;
    return isDone ? { kind: "ended", rest: unbilled("expired") } : { kind: "wait", ms: Math.max(...pauses) };
  }

  /** One of several that take from the same line. Answers how long the vendor's account wants to be left alone, in milliseconds. */
  async #work(desk: JobDesk, line: Iterator<LotRequest>, until: number, signal: AbortSignal): Promise<number> {
    const goesOn = () => desk.stopping() === null && desk.now() < until;
    for (let next = line.next(); !next.done && goesOn(); next = line.next()) {
      const { value } = next;
      const pass = await this.#enter(tokensOf(value.request));
      if (!pass.ok) return pass.error.retryAfterMs ?? LIMITS.gateAskMs;
      let outcome: ChatOutcome | null = null;
      try {
        // It may have waited, and nobody may want it any more.
        if (goesOn()) outcome = await this.#call(desk, value, signal, pass.value.careful);
      } finally {
        await pass.value.end(outcome);
      }
    }
    return 0;
  }

  async #call(desk: JobDesk, asked: LotRequest, signal: AbortSignal, careful: boolean): Promise<ChatOutcome> {
    desk.send(asked.position);
    const outcome = await withDeadline(LIMITS.modelCallMs, signal, (within) =>
      this.#provider.chat(asked.request, { signal: within, careful }),
    );
    this.#conclude(desk, asked, outcome);
    return outcome;
  }

  #conclude(desk: JobDesk, { position, attempt }: LotRequest, outcome: ChatOutcome): void {
    const again = !outcome.ok && outcome.retryable && attempt < LIMITS.batchPoolTries && desk.stopping() === null;
    if (!again) return desk.record([{ position, outcome }]);
    const pause = pauseMs(attempt - 1, LIMITS.backoffBaseMs, LIMITS.backoffMaxMs, outcome);
    desk.retry({ position, outcome }, desk.now() + pause);
  }
}

function tokensOf(request: ChatRequest): number {
  return estimateTokens(JSON.stringify([request.messages, request.tools])) + request.maxOutputTokens;
}
