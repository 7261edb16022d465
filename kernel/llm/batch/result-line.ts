import { ERRORS } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { ChatReply } from "../chat.ts";
import type { ChatOutcome } from "../provider.ts";

/**
 * A line of a job's results, in the shape of OpenAI's output files, so that programs which read those read these:
 * `{id, custom_id, response: {status_code, body} | null, error: {code, message} | null}`, and our `costNanoUsd`.
 */

const ENCODER = new TextEncoder();

export interface ResultFacts {
  callId: string;
  customId: string;
  model: string;
  costNanoUsd: number;
}

export function resultLine(facts: ResultFacts, outcome: ChatOutcome): string {
  const { callId: id, customId, model, costNanoUsd } = facts;
  const response = outcome.ok ? { status_code: 200, body: completionOf(id, model, outcome.reply) } : null;
  const error = outcome.ok ? null : { code: outcome.error.code, message: outcome.error.message };
  const line = JSON.stringify({ id, custom_id: customId, response, error, costNanoUsd });
  return ENCODER.encode(line).length <= LIMITS.batchResultBytes ? line : tooLarge(facts);
}

/** The reply was paid for, so its bill stands. */
function tooLarge({ callId: id, customId, costNanoUsd }: ResultFacts): string {
  const message = `${ERRORS.too_large.title}: a result holds at most ${LIMITS.batchResultBytes} bytes.`;
  return JSON.stringify({
    id,
    custom_id: customId,
    response: null,
    error: { code: "too_large", message },
    costNanoUsd,
  });
}

function completionOf(id: string, model: string, { content, reasoning, toolCalls, finishReason, usage }: ChatReply) {
  return {
    id,
    object: "chat.completion",
    model,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content,
          ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
          ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
        },
        finish_reason: finishReason,
      },
    ],
    usage: {
      prompt_tokens: usage.promptTokens,
      completion_tokens: usage.completionTokens,
      total_tokens: usage.promptTokens + usage.completionTokens,
      prompt_tokens_details: { cached_tokens: usage.cachedTokens },
      completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    },
  };
}
