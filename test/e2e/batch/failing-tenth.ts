import type { Fault, ScriptedReply } from "../../support/model-server/script.ts";
import { type Answers, ScriptedModel, type WireRequest } from "../../support/model-server/scripted-model.ts";

/** Answers of the scripted model server: an echo after some time, but every tenth request is refused, unbilled, in one of three ways. */

const LATENCY_MS = 40;
const REFUSALS: readonly Fault[] = [
  { kind: "status", status: 503, message: "overloaded" },
  { kind: "rate_limit", retryAfterSeconds: 1, as: "seconds" },
  { kind: "rate_limit", retryAfterSeconds: 1, as: "date" },
];

class FailingTenth extends ScriptedModel implements Answers {
  #requests = 0;

  override answer(request: WireRequest): ScriptedReply {
    this.#requests += 1;
    const refusal = this.#requests % 10 === 0 ? REFUSALS[(this.#requests / 10) % REFUSALS.length] : undefined;
    const reply = { ...super.answer(request), latencyMs: LATENCY_MS };
    return refusal === undefined ? reply : { ...reply, fault: refusal };
  }
}

export function makeAnswers(): Answers {
  return new FailingTenth();
}
