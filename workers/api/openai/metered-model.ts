import { ok, type Result } from "../../../kernel/errors.ts";
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
  openCall(owner: string, request: GrantRequest): Promise<Result<Reservation & { epoch: number }>>;
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

export interface MeterPorts {
  meter: Meter;
  clock: Clock;
  /** Keeps work going after the reply has left. */
  keep(work: Promise<unknown>): void;
}

/** A call that was made: how it ended, what it cost, and the tenant's purges of cached replies before it. */
export interface Made {
  outcome: ChatOutcome;
  costNanoUsd: number;
  epoch: number;
}

/**
 * A vendor's model, called for a key: money is reserved before the call and settled after it, once. Whatever hides the
 * outcome (this isolate dies, the core does not answer) leaves an open call, which the core settles at its upper bound.
 */
export class MeteredModel implements Answerer {
  readonly call: MeteredCall;
  readonly request: ChatRequest;
  readonly #ports: MeterPorts;

  constructor(ports: MeterPorts, call: MeteredCall) {
    this.#ports = ports;
    this.call = call;
    this.request = requestOf(call);
  }

  async answer(hooks: AnswerHooks): Promise<Result<ChatReply>> {
    const made = await this.make(hooks);
    return made.ok ? replyOf(made.value.outcome) : made;
  }

  /** Fails when the call was not made, because a budget is spent. */
  async make(hooks: AnswerHooks): Promise<Result<Made>> {
    const { served, callId, owner } = this.call;
    const { meter, clock, keep } = this.#ports;
    const reservation = await meter.openCall(owner, this.#grant());
    if (!reservation.ok) return reservation;
    const { maxOutputTokens, reservedNanoUsd, epoch } = reservation.value;
    const outcome = await served.provider.chat({ ...this.request, maxOutputTokens }, hooks);
    const settlement = settlementOf(outcome, { price: served.info.price, reservedNanoUsd }, clock.now());
    keep(settled(meter, { callId, ...settlement }));
    return ok({ outcome, costNanoUsd: settlement.costNanoUsd, epoch });
  }

  #grant(): GrantRequest {
    const { served, callId } = this.call;
    return {
      callId,
      lane: "interactive",
      provider: served.provider.name,
      model: served.info.id,
      price: served.info.price,
      inputBound: maxPromptTokens(this.request),
      outputWanted: this.request.maxOutputTokens,
      rateTokens: maxPromptTokens(this.request) + this.request.maxOutputTokens,
      deadlineMs: LIMITS.modelCallMs,
    };
  }
}

/** A vendor's failure as the kernel's. */
export function replyOf(outcome: ChatOutcome): Result<ChatReply> {
  return outcome.ok ? ok(outcome.reply) : { ok: false, error: outcome.error };
}

function requestOf({ served, conversation, tenant }: MeteredCall): ChatRequest {
  const { messages, tools, temperature, passed } = conversation;
  const wanted = conversation.maxOutputTokens ?? LIMITS.maxOutputTokens;
  const maxOutputTokens = Math.min(wanted, served.info.maxOutputTokens);
  const base = { model: served.model, messages, tools, maxOutputTokens, passed, user: tenant };
  return temperature === undefined ? base : { ...base, temperature };
}

/** A core that does not answer hears it again; one that never does settles the call by itself. */
async function settled(meter: Meter, settlement: Settlement): Promise<void> {
  for (let attempt = 1; attempt <= LIMITS.deliverTries; attempt++) {
    if ((await meter.settleCall(settlement)).ok) return;
    await new Promise((resolve) => setTimeout(resolve, LIMITS.backoffBaseMs * 2 ** attempt));
  }
}
