import { withDeadline } from "../../deadline.ts";
import { LIMITS } from "../../limits.ts";
import type { ChatOutcome, Provider } from "../provider.ts";
import { type BatchDriver, hidden, type JobDesk, type LotRequest, type Progress, pauseMs, unbilled } from "./driver.ts";

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

  constructor(provider: Provider) {
    this.#provider = provider;
  }

  async advance(desk: JobDesk, signal: AbortSignal): Promise<Progress> {
    for (const lost of desk.requests("sent", -1, LIMITS.batchPoolWave)) {
      this.#conclude(desk, lost, { ...hidden("A crash hid the outcome of this call."), retryable: true });
    }
    desk.running();
    const line = desk.requests("reserved", -1, LIMITS.batchPoolWave).values();
    const until = desk.now() + LIMITS.batchPoolMs;
    await Promise.all(Array.from({ length: LIMITS.batchPoolCalls }, () => this.#work(desk, line, until, signal)));
    const why = desk.stopping();
    if (why !== null) return { kind: "ended", rest: unbilled(why) };
    const isDone = desk.requests("reserved", -1, 1).length === 0;
    return isDone ? { kind: "ended", rest: unbilled("expired") } : { kind: "wait", ms: 0 };
  }

  /** One of several that take from the same line. */
  async #work(desk: JobDesk, line: Iterator<LotRequest>, until: number, signal: AbortSignal): Promise<void> {
    const goesOn = () => desk.stopping() === null && desk.now() < until;
    for (let next = line.next(); !next.done && goesOn(); next = line.next()) {
      const { value } = next;
      desk.send(value.position);
      const outcome = await withDeadline(LIMITS.modelCallMs, signal, (within) =>
        this.#provider.chat(value.request, { signal: within }),
      );
      this.#conclude(desk, value, outcome);
    }
  }

  #conclude(desk: JobDesk, { position, attempt }: LotRequest, outcome: ChatOutcome): void {
    const again = !outcome.ok && outcome.retryable && attempt < LIMITS.batchPoolTries && desk.stopping() === null;
    if (!again) return desk.record([{ position, outcome }]);
    const pause = pauseMs(attempt - 1, LIMITS.backoffBaseMs, LIMITS.backoffMaxMs, outcome);
    desk.retry({ position, outcome }, desk.now() + pause);
  }
}
