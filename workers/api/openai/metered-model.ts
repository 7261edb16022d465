import { estimateTokens } from "../../../kernel/context/tokens.ts";
import type { Result } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import type { ChatReply, ChatRequest } from "../../../kernel/llm/chat.ts";
import type { ChatOutcome } from "../../../kernel/llm/provider.ts";
import type { ServedModel } from "../../../kernel/llm/providers.ts";
import { maxPromptTokens } from "../../../kernel/llm/usage.ts";
import type { GrantRequest } from "../../../kernel/scheduler/grant.ts";
import { replyOf } from "./cached-call.ts";
import type { Answerer, AnswerHooks, Conversation } from "./conversation.ts";
import { type Made, type MeterPorts, meteredCall, type Payer } from "./metered-call.ts";

export interface ModelCall extends Payer {
  callId: string;
  served: ServedModel;
  conversation: Conversation;
}

/** A vendor's model, called for a key. */
export class MeteredModel implements Answerer {
  readonly call: ModelCall;
  readonly request: ChatRequest;
  readonly #ports: MeterPorts;

  constructor(ports: MeterPorts, call: ModelCall) {
    this.#ports = ports;
    this.call = call;
    this.request = requestOf(call);
  }

  async answer(hooks: AnswerHooks): Promise<Result<ChatReply>> {
    const made = await this.make(hooks);
    return made.ok ? replyOf(made.value.outcome) : made;
  }

  /** Fails when the call was not made. */
  make(hooks: AnswerHooks): Promise<Result<Made<ChatOutcome>>> {
    const { provider } = this.call.served;
    return meteredCall(this.#ports, this.call, this.#grant(), hooks.signal, ({ maxOutputTokens, careful }) =>
      provider.chat({ ...this.request, maxOutputTokens }, { ...hooks, careful }),
    );
  }

  #grant(): GrantRequest {
    const { served, callId } = this.call;
    const { messages, tools, maxOutputTokens } = this.request;
    return {
      callId,
      lane: "interactive",
      provider: served.provider.name,
      model: served.info.id,
      price: served.info.price,
      inputBound: maxPromptTokens(this.request),
      outputWanted: maxOutputTokens,
      rateTokens: estimateTokens(JSON.stringify([messages, tools])) + maxOutputTokens,
      deadlineMs: LIMITS.modelCallMs,
    };
  }
}

function requestOf({ served, conversation, tenant }: ModelCall): ChatRequest {
  const { messages, tools, temperature, passed } = conversation;
  const wanted = conversation.maxOutputTokens ?? LIMITS.maxOutputTokens;
  const maxOutputTokens = Math.min(wanted, served.info.maxOutputTokens);
  const base = { model: served.model, messages, tools, maxOutputTokens, passed, user: tenant };
  return temperature === undefined ? base : { ...base, temperature };
}
