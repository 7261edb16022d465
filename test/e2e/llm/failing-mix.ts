import type { Fault, ScriptedReply } from "../../support/model-server/script.ts";
import { type Answers, ScriptedModel, type WireRequest } from "../../support/model-server/scripted-model.ts";

/** Answers of four vendors: every tenth request of a model fails, each time in another way; each reply has a length of its own. */

const REFUSED: Fault = { kind: "status", status: 503, message: "overloaded" };
const FAULTS: readonly Fault[] = [
  REFUSED,
  { kind: "fin", afterChunks: 2 },
  { kind: "error_in_stream", afterChunks: 1, message: "the server had an error" },
  { kind: "rst", afterChunks: 3 },
  { kind: "no_terminal_event" },
  { kind: "garbage", afterChunks: 1 },
  { kind: "status", status: 529 },
  { kind: "rst", afterChunks: 1 },
  { kind: "fin", afterChunks: 0 },
  { kind: "rate_limit", retryAfterSeconds: 1, as: "seconds" },
];

class FailingMix extends ScriptedModel implements Answers {
  readonly #requests = new Map<string, number>();

  override answer({ model }: WireRequest): ScriptedReply {
    const number = (this.#requests.get(model) ?? 0) + 1;
    this.#requests.set(model, number);
    const text = "A reply that is long enough to be cut somewhere in its middle.";
    const reply = { text, usage: { completionTokens: 20 + (number % 997), reasoningTokens: 5 } };
    if (number % 10 !== 0) return reply;
    // Vectors come whole or not at all.
    const fault = model.startsWith("text-embedding") ? REFUSED : FAULTS[(number / 10) % FAULTS.length];
    return fault === undefined ? reply : { ...reply, fault };
  }
}

export function makeAnswers(): Answers {
  return new FailingMix();
}
