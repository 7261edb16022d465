import type { WireRequest } from "../scripted-model.ts";
import { completionShapes, openAiUsage } from "./completion.ts";
import type { Dialect, Refusal } from "./dialect.ts";
import { PrefixCache } from "./prefix-cache.ts";

/**
 * Kimi as documented (platform.moonshot.ai, November 2026): cached tokens beside the counts, a stream's usage in its last
 * choice, `partial` for prefixes, fixed sampling, reasoning that must come back with calls of tools, errors by type.
 */

const MODELS = { "kimi-k3": 1_048_576, "kimi-k2.6": 262_144, "kimi-k2.5": 131_072 };

export function kimi(): Dialect {
  const cache = new PrefixCache(256);
  return {
    ...completionShapes({
      usage: (usage) => ({
        ...openAiUsage(usage),
        cached_tokens: usage.cachedTokens,
        prompt_tokens_details: undefined,
      }),
      usageIn: "choice",
    }),
    name: "kimi",
    serves: (path) => path === "/v1/chat/completions",
    list: (path) => (path === "/v1/models" ? { object: "list", data: Object.entries(MODELS).map(modelRow) } : null),
    refusal: (request) => refusal(request),
    prefix: ({ messages }) => (messages.at(-1)?.partial === true ? (messages.at(-1)?.content ?? "") : ""),
    cached: (request, promptTokens) => cache.hits("", request, promptTokens),
    spendCap: {
      status: 429,
      message: "Your account is not active, current state: suspended, please check your plan and billing details",
      type: "exceeded_current_quota_error",
    },
  };
}

function modelRow([id, contextLength]: [string, number]): object {
  return { id, object: "model", owned_by: "moonshot", context_length: contextLength, supports_reasoning: true };
}

function refusal(request: WireRequest): Refusal | null {
  const { model, messages, temperature } = request;
  if (!(model in MODELS)) {
    const message = `Not found the model ${model} or Permission denied`;
    return { status: 404, message, type: "resource_not_found_error" };
  }
  if (temperature !== undefined) return invalid("invalid temperature: only 1 is allowed for this model");
  if (request.tool_choice === "required")
    return invalid("tool_choice 'required' is incompatible with thinking enabled");
  const silent = messages.find((message) => message.tool_calls !== undefined && !message.reasoning_content);
  if (silent !== undefined) {
    return invalid("thinking is enabled but reasoning_content is missing in assistant tool call message");
  }
  return null;
}

function invalid(message: string): Refusal {
  return { status: 400, message, type: "invalid_request_error" };
}
