import type { WireRequest } from "../scripted-model.ts";
import { completionShapes, openAiUsage } from "./completion.ts";
import type { Dialect, Refusal } from "./dialect.ts";
import { PrefixCache } from "./prefix-cache.ts";

/**
 * OpenAI as documented (developers.openai.com, November 2026): usage of streams only when asked for, prefixes cached from
 * 1,024 tokens on in steps of 128, reasoning models without `max_tokens` and temperature, tools only without reasoning.
 */

const REASONS = /^(gpt-[5-9]|o\d)/;
const TOOLS_WITHOUT_REASONING = /^gpt-(5\.[4-9]|[6-9])/;
const MODELS = ["gpt-6-luna", "gpt-5-mini", "gpt-4.1", "gpt-9-preview", "text-embedding-3-small"];

export function openai(): Dialect {
  const cache = new PrefixCache(128, 1_024);
  return {
    ...completionShapes({ usage: openAiUsage, usageIn: "chunk" }),
    name: "openai",
    serves: (path) => path === "/v1/chat/completions",
    list: (path) =>
      path === "/v1/models" ? { object: "list", data: MODELS.map((id) => ({ id, object: "model" })) } : null,
    refusal: (request) => refusal(request),
    prefix: () => "",
    cached: (request, promptTokens) => cache.hits("", request, promptTokens),
    spendCap: {
      status: 429,
      message: "You exceeded your current quota, please check your plan and billing details.",
      type: "insufficient_quota",
      code: "insufficient_quota",
    },
  };
}

function refusal(request: WireRequest): Refusal | null {
  const { model } = request;
  if (!MODELS.includes(model)) {
    const message = `The model \`${model}\` does not exist or you do not have access to it.`;
    return { status: 404, message, type: "invalid_request_error", code: "model_not_found" };
  }
  if (!REASONS.test(model)) return null;
  if (request.max_tokens !== undefined) return unsupported("max_tokens");
  if (request.temperature !== undefined && request.temperature !== 1) return unsupported("temperature");
  const tools = (request.tools ?? []).length > 0;
  if (tools && TOOLS_WITHOUT_REASONING.test(model) && request.reasoning_effort !== "none") {
    const message = "Function tools with reasoning_effort are not supported in /v1/chat/completions.";
    return { status: 400, message, type: "invalid_request_error" };
  }
  return null;
}

function unsupported(parameter: string): Refusal {
  const message = `Unsupported parameter: '${parameter}' is not supported with this model.`;
  return { status: 400, message, type: "invalid_request_error", code: "unsupported_parameter" };
}
