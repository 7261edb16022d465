import type { ChatMessage, ChatRequest, Prefill } from "./chat.ts";
import type { ChatVendor } from "./vendor.ts";

/**
 * The body of a chat completion as one vendor wants it. Always streamed, always with a bound on the reply.
 *
 * `listed` says whether the vendor's own table knows the model. An unlisted one at another endpoint runs on a server of its
 * own kind, and those (vLLM, llama.cpp, LM Studio and the like) all read `max_tokens`, whatever the vendor calls it by now.
 */
export function requestBody(request: ChatRequest, vendor: ChatVendor, listed: boolean): Record<string, unknown> {
  const { model, user, prefill, passed = {} } = request;
  const tools = passed["tool_choice"] === "none" ? [] : request.tools;
  const messages = request.messages.map((message) => wireMessage(message, vendor));
  return {
    ...taken(passed, tools.length > 0, vendor),
    model,
    messages: prefill === undefined ? messages : [...messages, begun(prefill, vendor)],
    ...(tools.length > 0 ? { tools } : {}),
    [listed ? vendor.maxTokensField : "max_tokens"]: request.maxOutputTokens,
    ...temperature(request, vendor),
    ...(user !== undefined && vendor.userField !== null ? { [vendor.userField]: user } : {}),
    ...vendor.extraFields(model, tools.length > 0),
    stream: true,
    stream_options: { include_usage: true },
  };
}

/** Of what a client set the part that the vendor takes. A choice of tools without tools is refused by most. */
function taken(passed: Readonly<Record<string, unknown>>, hasTools: boolean, { refusedFields }: ChatVendor) {
  const entries = Object.entries(passed);
  return Object.fromEntries(
    entries.filter(([name]) => !refusedFields.includes(name) && (hasTools || name !== "tool_choice")),
  );
}

function temperature({ model, temperature: wanted }: ChatRequest, vendor: ChatVendor): { temperature?: number } {
  const range = vendor.temperatures(model);
  if (wanted === undefined || range === null) return {};
  const [least, most] = range;
  return { temperature: Math.min(Math.max(wanted, least), most) };
}

function wireMessage(message: ChatMessage, vendor: ChatVendor): Record<string, unknown> {
  if (message.role !== "assistant") return { ...message };
  const { role, content, tool_calls: calls = [], reasoning_content: reasoning } = message;
  return {
    role,
    content,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
    ...echo(reasoning, calls.length > 0, vendor),
  };
}

/** The reasoning as the vendor wants it back. It is missing where it was too long to keep, or another model spoke. */
function echo(reasoning: string | undefined, callsTools: boolean, { reasoningEcho }: ChatVendor) {
  const { on, missing } = reasoningEcho;
  if (on === "never" || (on === "tool-calls" && !callsTools)) return {};
  return { reasoning_content: reasoning || missing };
}

/** The beginning of the reply, for the model to go on from. */
function begun({ content, reasoning }: Prefill, vendor: ChatVendor): Record<string, unknown> {
  return {
    role: "assistant",
    content,
    ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
    ...(vendor.prefill === null ? {} : { [vendor.prefill.field]: true }),
  };
}
