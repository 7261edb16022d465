import { type ErrorCode, err, type Result } from "../../../kernel/errors.ts";
import type { ChatReply } from "../../../kernel/llm/chat.ts";
import { isUnavailable } from "../../../kernel/process/routing.ts";
import type { Answerer, AnswerHooks } from "./conversation.ts";

/** Which call answers, as its client is told: it changes when another model is asked. */
export interface Naming {
  /** As the client named it. */
  model: string;
  /** In the ledger. */
  callId: string;
}

/** The gate of the vendor's account let nothing through, so nothing was asked of the vendor. */
const HELD_UP: ReadonlySet<ErrorCode> = new Set(["rate_limited", "unavailable"]);

/**
 * The first of several models that is available. The next one is asked when a vendor could not take the call, by the rule of an
 * agent's list, and only while nothing was shown: half a reply is never mixed with another one. Each try is a call of its own in
 * the ledger.
 */
export class FallbackModel implements Answerer {
  readonly #models: readonly (Naming & { answerer: Answerer })[];
  readonly #naming: Naming;

  /** `naming` is told who is asked. */
  constructor(models: readonly (Naming & { answerer: Answerer })[], naming: Naming) {
    this.#models = models;
    this.#naming = naming;
  }

  async answer(hooks: AnswerHooks): Promise<Result<ChatReply>> {
    let result: Result<ChatReply> = NOBODY;
    for (const { answerer, model, callId } of this.#models) {
      Object.assign(this.#naming, { model, callId } satisfies Naming);
      const watched = new Watched(hooks);
      result = await answerer.answer(watched);
      if (result.ok || watched.shown || hooks.signal.aborted) return result;
      if (!isUnavailable(result.error, 1) && !HELD_UP.has(result.error.code)) return result;
    }
    return result;
  }
}

const NOBODY = err("unknown_model", "No model was named.");

/** Knows whether anything of the reply was shown. */
class Watched implements AnswerHooks {
  readonly signal: AbortSignal;
  readonly #hooks: AnswerHooks;
  shown = false;

  constructor(hooks: AnswerHooks) {
    this.signal = hooks.signal;
    this.#hooks = hooks;
  }

  onDelta = (text: string): void => {
    this.shown = true;
    this.#hooks.onDelta(text);
  };

  onReasoning = (text: string): void => {
    this.shown = true;
    this.#hooks.onReasoning(text);
  };
}
