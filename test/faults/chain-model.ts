import { setTimeout as sleep } from "node:timers/promises";
import type { Fault, ScriptedCall, ScriptedReply } from "../support/model-server/script.ts";
import type { Answers, WireMessage, WireRequest } from "../support/model-server/scripted-model.ts";
import { answerOf, type Chain, chainOf, fileOf, noteOf, type Step } from "./chain.ts";

/**
 * A model that works chains off. It knows nothing but what the prompt shows: which steps are done, and the sum so far out
 * of the newest result of `calculate`. `completionTokens` of its bill is the number of the request, so that each row of the
 * ledger names the request that it stands for.
 */

const FAULTS: Record<NonNullable<Step["fault"]>, Fault> = {
  busy: { kind: "rate_limit", retryAfterSeconds: 1, as: "seconds" },
  broken: { kind: "status", status: 500, message: "scripted" },
  reset: { kind: "rst", afterChunks: 1 },
};

/** Where a prompt stands in its chain. */
export interface Place {
  chain: Chain;
  step: number;
  sum: number;
}

/** Null when the prompt holds no chain. */
export function placeOf(messages: readonly (WireMessage & { tool_calls?: unknown[] })[]): Place | null {
  const at = messages.findLastIndex(({ role, content }) => role === "user" && chainOf(content) !== null);
  const chain = chainOf(messages[at]?.content);
  if (chain === null) return null;
  const since = messages.slice(at + 1);
  const step = since.filter(({ role, tool_calls: calls = [] }) => role === "assistant" && calls.length > 0).length;
  const sums = since.flatMap(({ role, content }) => (role === "tool" ? sumIn(content ?? "") : []));
  return { chain, step, sum: sums.at(-1) ?? chain.start };
}

/** The result that `calculate` gave, if this is one. */
function sumIn(result: string): number[] {
  const { ok, result: sum, exact } = JSON.parse(result) as { ok: boolean; result?: string; exact?: boolean };
  return ok && exact === true ? [Number(sum)] : [];
}

class ChainModel implements Answers {
  #requests = 0;
  readonly #faulted = new Set<string>();

  load(): void {
    // Chains bring their script with them.
  }

  async answer(request: WireRequest): Promise<ScriptedReply> {
    this.#requests += 1;
    const usage = { completionTokens: this.#requests };
    const place = placeOf(request.messages);
    const step = place?.chain.steps[place.step];
    if (place === null || step === undefined) return { text: "There is no chain to work on.", usage };
    const fault = this.#faultOf(place, step);
    await sleep(step.latencyMs);
    return { ...replyTo(place, step), chunkDelayMs: step.chunkDelayMs, usage, ...(fault === null ? {} : { fault }) };
  }

  /** Only the first request of a step goes wrong. */
  #faultOf({ chain, step: index }: Place, step: Step): Fault | null {
    const name = `${chain.id}/${index}`;
    if (step.fault === undefined || this.#faulted.has(name)) return null;
    this.#faulted.add(name);
    return FAULTS[step.fault];
  }
}

function replyTo({ chain, step: index, sum }: Place, step: Step): ScriptedReply {
  if (step.add === undefined) return { text: answerOf(chain, sum) };
  const calls: ScriptedCall[] = [{ name: "calculate", arguments: { expression: `${sum} + ${step.add}` } }];
  if (step.file) calls.push({ name: "file_write", arguments: fileOf(chain, index, sum) });
  if (step.note) calls.push({ name: "memory_note", arguments: { content: noteOf(chain, index, sum) } });
  const body = `${chain.id} at step ${index}`;
  if (step.post) calls.push({ name: "http_request", arguments: { method: "POST", url: step.post.url, body } });
  return { toolCalls: calls };
}

export function makeAnswers(): Answers {
  return new ChainModel();
}
