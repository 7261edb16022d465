import type { Fault, ScriptedReply } from "../../support/model-server/script.ts";
import { type Answers, ScriptedModel, type WireRequest } from "../../support/model-server/scripted-model.ts";

/**
 * Answers of the scripted model server: an echo after some time, but a tenth of them fail, each in the next of all ways.
 * A reply's completion tokens are the number of its request, so that a row of the ledger names the request it pays for.
 */

const LATENCY_MS = 40;

/** How a failed answer counts: not at all, by the usage that it still said, or at most as much as was reserved. */
export type Bill = "free" | "said" | "bound";

const FAULTS: readonly (readonly [Fault, Bill])[] = [
  [{ kind: "status", status: 503, message: "overloaded" }, "free"],
  [{ kind: "rst", afterChunks: 1 }, "bound"],
  [{ kind: "rate_limit", retryAfterSeconds: 1, as: "seconds" }, "free"],
  [{ kind: "fin", afterChunks: 1 }, "bound"],
  [{ kind: "status", status: 500, message: "it broke" }, "bound"],
  [{ kind: "garbage", afterChunks: 1 }, "bound"],
  [{ kind: "rate_limit", retryAfterSeconds: 1, as: "date" }, "free"],
  [{ kind: "no_terminal_event" }, "said"],
  [{ kind: "error_in_stream", afterChunks: 1, message: "it broke" }, "bound"],
];

/** What becomes of the request with this number, from 1; null = it is answered. */
export function failureOf(request: number): readonly [Fault, Bill] | null {
  return request % 10 === 0 ? (FAULTS[(request / 10) % FAULTS.length] ?? null) : null;
}

class FailingVendor extends ScriptedModel implements Answers {
  #requests = 0;

  override answer(request: WireRequest): ScriptedReply {
    this.#requests += 1;
    const [fault] = failureOf(this.#requests) ?? [];
    const reply = { ...super.answer(request), latencyMs: LATENCY_MS, usage: { completionTokens: this.#requests } };
    return fault === undefined ? reply : { ...reply, fault };
  }
}

export function makeAnswers(): Answers {
  return new FailingVendor();
}
