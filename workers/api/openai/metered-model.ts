import { type KernelError, ok, type Result } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import type { ChatReply, ChatRequest } from "../../../kernel/llm/chat.ts";
import type { ChatOutcome } from "../../../kernel/llm/provider.ts";
import type { ServedModel } from "../../../kernel/llm/providers.ts";
import { maxPromptTokens } from "../../../kernel/llm/usage.ts";
import type { Clock } from "../../../kernel/ports.ts";
import { settlementOf } from "../../../kernel/process/model-call.ts";
import type { GrantRequest, Reservation, Settlement } from "../../../kernel/scheduler/grant.ts";
import type { Answerer, AnswerHooks, Conversation } from "./conversation.ts";

/** What keeps the money: the tenant's core. */
export interface Meter {
  openCall(owner: string, request: GrantRequest): Promise<Result<Reservation>>;
  settleCall(settlement: Settlement): Promise<Result<null>>;
}

export interface MeteredCall {
  callId: string;
  /** Who pays, as the ledger names it: `key:<id>`. */
  owner: string;
  tenant: string;
  served: ServedModel;
  conversation: Conversation;
}

/** Keeps work going after the reply has left. */
type KeepAlive = (work: Promise<unknown>) => void;

/**
 * A vendor's model, called for a key: money is reserved before the call and settled after it, once. Whatever hides the
 * outcome (this isolate dies, the core does not answer) leaves an open call, which the core settles at its upper bound.
 */
export class MeteredModel implements Answerer {
  readonly #meter: Meter;
  readonly #clock: Clock;
  readonly #keep: KeepAlive;
  readonly #call: MeteredCall;

  constructor(ports: { meter: Meter; clock: Clock; keep: KeepAlive }, call: MeteredCall) {
    this.#meter = ports.meter;
    this.#clock = ports.clock;
    this.#keep = ports.keep;
    this.#call = call;
  }

  async answer(hooks: AnswerHooks): Promise<Result<ChatReply>> {
    const { served, callId, owner } = this.#call;
    const request = this.#request();
    const reservation = await this.#meter.openCall(owner, this.#grant(request));
    if (!reservation.ok) return reservation;
    const { maxOutputTokens, reservedNanoUsd } = reservation.value;
    const outcome = await served.provider.chat({ ...request, maxOutputTokens }, hooks);
    const terms = { price: served.info.price, reservedNanoUsd };
    this.#keep(this.#settle({ callId, ...settlementOf(outcome, terms, this.#clock.now()) }));
    return replyOf(outcome);
  }

  #request(): ChatRequest {
    const { served, conversation, tenant } = this.#call;
    const { messages, tools, temperature, passed } = conversation;
    const wanted = conversation.maxOutputTokens ?? LIMITS.maxOutputTokens;
    const maxOutputTokens = Math.min(wanted, served.info.maxOutputTokens);
    const base = { model: served.model, messages, tools, maxOutputTokens, passed, user: tenant };
    return temperature === undefined ? base : { ...base, temperature };
  }

  #grant(request: ChatRequest): GrantRequest {
    const { served, callId } = this.#call;
    return {
      callId,
      lane: "interactive",
      provider: served.provider.name,
      model: served.info.id,
      price: served.info.price,
      inputBound: maxPromptTokens(request),
      outputWanted: request.maxOutputTokens,
      deadlineMs: LIMITS.modelCallMs,
    };
  }

  /** A core that does not answer hears it again; one that never does settles the call by itself. */
  async #settle(settlement: Settlement): Promise<void> {
    for (let attempt = 1; attempt <= LIMITS.deliverTries; attempt++) {
      const settled = await this.#meter.settleCall(settlement);
      if (settled.ok) return;
      await new Promise((resolve) => setTimeout(resolve, LIMITS.backoffBaseMs * 2 ** attempt));
    }
  }
}

/** A vendor's failure as the kernel's, with what may be retried said by its code. */
function replyOf(outcome: ChatOutcome): Result<ChatReply> {
  if (outcome.ok) return ok(outcome.reply);
  const error: KernelError = outcome.error;
  return { ok: false, error };
}
