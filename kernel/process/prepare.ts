import type { Door } from "../door.ts";
import type { KernelError } from "../errors.ts";
import { callIdOf } from "../id.ts";
import { LIMITS } from "../limits.ts";
import { batchPriceOf } from "../llm/batch/drivers.ts";
import type { ChatRequest } from "../llm/chat.ts";
import type { ModelInfo, Provider } from "../llm/provider.ts";
import type { ServedModel } from "../llm/providers.ts";
import { type GrantRequest, LEAST_OUTPUT_TOKENS } from "../scheduler/grant.ts";
import { toolDefinitions } from "../tools/definitions.ts";
import { continuationOf, cutCall } from "./cut-call.ts";
import type { AgentParts } from "./parts.ts";
import type { Lane } from "./spec.ts";

/** The next model call of the turn as the tables say it: whoever prepares it again, after a crash or in a claim, gets the same. */
export interface Prepared {
  callId: string;
  provider: Provider;
  info: ModelInfo;
  /** With the longest reply wanted; the grant may allow less. */
  request: ChatRequest;
  grant: GrantRequest;
  estimatedTokens: number;
  /** What the prompt shows: one page of each label. */
  shown: { label: string; id: string }[];
}

/** The call's id follows from its message, step and attempt, so that asking again asks for the same grant. */
export function prepare(parts: AgentParts, door: Door): Prepared | KernelError {
  const row = parts.process.get();
  const found = parts.providers.get(row.model);
  if (!found.ok) return found.error;
  const { provider, info, model } = found.value;
  const { lane, price, deadlineMs } = termsOf(row.lane, found.value);
  const tools = toolDefinitions(door.offered());
  const prompt = parts.context.assemble(tools);
  if (!prompt.ok) return prompt.error;
  const { messages, estimatedTokens, utf8Bytes } = prompt.value;
  const most = Math.min(row.max_output_tokens, info.maxOutputTokens);
  const continuation = continuationOf(cutCall(row), info);
  const { prefill, resumedFrom, restartedFrom } = continuation;
  const maxOutputTokens = Math.max(Math.min(most, LEAST_OUTPUT_TOKENS), most - continuation.estimatedTokens);
  const callId = callIdOf(`${row.id}/${row.turn_message_id}/${row.turn_step}/${row.turn_attempt}`, parts.hash);
  return {
    callId,
    provider,
    info,
    estimatedTokens: estimatedTokens + continuation.estimatedTokens,
    shown: parts.context.shown(),
    request: {
      model,
      messages,
      tools,
      maxOutputTokens,
      user: row.tenant,
      ...(prefill === null ? {} : { prefill }),
    },
    grant: {
      callId,
      lane,
      provider: provider.name,
      model: row.model,
      price,
      inputBound: utf8Bytes + continuation.inputBound,
      outputWanted: maxOutputTokens,
      rateTokens: estimatedTokens + continuation.estimatedTokens + maxOutputTokens,
      deadlineMs,
      resumedFrom,
      restartedFrom,
    },
  };
}

/** How the call is made and at which price: one of the economy lane needs a Batch API, without which it is one of the batch lane. */
function termsOf(lane: Lane, served: ServedModel): Pick<GrantRequest, "lane" | "price" | "deadlineMs"> {
  const { price } = served.info;
  if (lane === "interactive") return { lane, price, deadlineMs: LIMITS.modelCallMs };
  const batchPrice = lane === "economy" ? batchPriceOf(served) : null;
  if (batchPrice === null) return { lane: "batch", price, deadlineMs: LIMITS.batchCallMs };
  return { lane: "economy", price: batchPrice, deadlineMs: LIMITS.economyCallMs };
}

/** The request with the reply bounded as granted. */
export function granted(request: ChatRequest, maxOutputTokens: number): ChatRequest {
  return { ...request, maxOutputTokens };
}

/** Whether the process's model call before this one got no reply, in this turn or as the end of the one before. */
export function lastFailed(parts: AgentParts): boolean {
  const { retries, turn_step: step, last_error: lastError } = parts.process.get();
  return retries > 0 || (step === 0 && lastError !== null);
}

/** False when a signal, a cancellation or an eviction of the turn came in while we waited. */
export function hasWork(parts: AgentParts): boolean {
  const row = parts.process.get();
  return row.turn_message_id !== null && row.state !== "stopped" && row.state !== "terminated";
}
