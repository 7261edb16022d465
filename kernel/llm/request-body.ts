import type { ChatMessage, ChatRequest } from "./chat.ts";
import type { Vendor } from "./vendor.ts";

/**
 * The body of a chat completion as one vendor wants it. Always streamed, always with a bound on the reply.
 *
 * `listed` says whether the vendor's own table knows the model. An unlisted one runs on an operator's server, and those
 * (vLLM, llama.cpp, LM Studio and the like) all read `max_tokens`, whatever the vendor calls it by now.
 */
export function requestBody(request: ChatRequest, vendor: Vendor, listed: boolean): Record<string, unknown> {
  const { model, tools, temperature, user } = request;
  return {
    ...request.passed,
    model,
    messages: request.messages.map((message) => wireMessage(message, vendor)),
    ...(tools.length > 0 ? { tools } : {}),
    [listed ? vendor.maxTokensField : "max_tokens"]: request.maxOutputTokens,
    ...(temperature !== undefined && vendor.takesTemperature(model) ? { temperature } : {}),
    ...(user !== undefined && vendor.userField !== null ? { [vendor.userField]: user } : {}),
    ...vendor.extraFields(request),
    stream: true,
    stream_options: { include_usage: true },
  };
}

function wireMessage(message: ChatMessage, vendor: Vendor): Record<string, unknown> {
  if (message.role !== "assistant") return { ...message };
  const { role, content, tool_calls: calls = [], reasoning_content: reasoning } = message;
  const echoed = vendor.echoesReasoning && calls.length > 0 && reasoning !== undefined;
  return {
    role,
    content,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
    ...(echoed ? { reasoning_content: reasoning } : {}),
  };
}
