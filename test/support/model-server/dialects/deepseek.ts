import type { WireRequest } from "../scripted-model.ts";
import { completionShapes, openAiUsage } from "./completion.ts";
import type { Dialect, Refusal } from "./dialect.ts";
import { PrefixCache } from "./prefix-cache.ts";

/**
 * DeepSeek as documented (api-docs.deepseek.com, November 2026): hits and misses of the prefix cache in units of 64 tokens,
 * one cache a `user_id`; reasoning that must come back once tools were called; prefixes under `/beta`; no `tool_choice`
 * while it thinks; 402 without credit.
 */

const MODELS = ["deepseek-flash", "deepseek-v4-pro"];

export function deepseek(): Dialect {
  const cache = new PrefixCache(64);
  return {
    ...completionShapes({
      usage: (usage) => ({
        ...openAiUsage(usage),
        prompt_cache_hit_tokens: usage.cachedTokens,
        prompt_cache_miss_tokens: usage.promptTokens - usage.cachedTokens,
      }),
      usageIn: "chunk",
    }),
    name: "deepseek",
    serves: (path) => path === "/chat/completions" || path === "/beta/chat/completions",
    list: (path) =>
      path === "/models" ? { object: "list", data: MODELS.map((id) => ({ id, object: "model" })) } : null,
    refusal,
    prefix: ({ messages }) => (messages.at(-1)?.prefix === true ? (messages.at(-1)?.content ?? "") : ""),
    cached: (request, promptTokens) => cache.hits(request.user_id ?? "", request, promptTokens),
    spendCap: { status: 402, message: "Insufficient Balance", type: "unknown_error", code: "invalid_request_error" },
  };
}

function refusal(request: WireRequest, path: string): Refusal | null {
  const { messages } = request;
  if (!MODELS.includes(request.model)) return invalid(400, "Model Not Exist");
  if (request.tool_choice !== undefined) return invalid(400, "deepseek-flash does not support this tool_choice");
  const spoken = messages.filter(({ role }) => role === "assistant");
  const usedTools = spoken.some(({ tool_calls: calls = [] }) => calls.length > 0);
  if (usedTools && spoken.some((message) => message.prefix !== true && message.reasoning_content === undefined)) {
    return invalid(400, "The `reasoning_content` in the thinking mode must be passed back to the API.");
  }
  const prefixed = messages.some(({ prefix }) => prefix === true);
  if (prefixed && !path.startsWith("/beta/")) return invalid(400, "prefix is a beta feature; use the beta base URL");
  if (messages.at(-1)?.role === "assistant" && !prefixed)
    return invalid(400, "the last message must be of a user or a tool");
  return null;
}

function invalid(status: number, message: string): Refusal {
  return { status, message, type: "invalid_request_error", code: "invalid_request_error" };
}
