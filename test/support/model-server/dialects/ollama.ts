import type { ScriptedReply } from "../script.ts";
import type { WireRequest } from "../scripted-model.ts";
import { finishReason, piecesOf } from "./completion.ts";
import type { Dialect, ErrorFacts, Outgoing, Refusal } from "./dialect.ts";

/**
 * Ollama by its own protocol (docs/api.md of ollama/ollama): a JSON record a line, whole tool calls without ids and with
 * objects for arguments, counts in the last record, errors as plain words. `old-...` models stand for servers that do not
 * know `truncate` and cut prompts in silence. It serves prefixes from its cache and never says so.
 */

const MODELS: Record<string, number> = { "qwen3:8b": 40_960, "llama3.2:1b": 8_192, "old-mistral": 32_768 };

export function ollama(): Dialect {
  return {
    name: "ollama",
    serves: (path) => path === "/api/chat",
    list,
    refusal: (request) => refusal(request),
    prefix: () => "",
    cached: () => 0,
    spendCap: { status: 402, message: "you have reached your usage limit" },
    contentType: "application/x-ndjson",
    terminal: "",
    keepAlive: "",
    garbage: "{this is no JSON\n",
    whole: (out) => ({ ...record(out, wholeMessage(out.reply), true), ...last(out, false) }),
    pieces: ({ reply, ...out }) => messages(reply).map((message) => line(record({ reply, ...out }, message, false))),
    finish: (out, silent) => line({ ...record(out, { content: "" }, true), ...last(out, silent) }),
    errorPiece: (facts) => line(errorBody(facts)),
    errorBody,
  };
}

function list(path: string, body: string): object | null {
  if (path === "/api/tags") {
    return { models: Object.keys(MODELS).map((name) => ({ name, model: name, size: 1, digest: "d", details: {} })) };
  }
  const known = path === "/api/show" ? MODELS[(JSON.parse(body) as { model: string }).model] : undefined;
  return known === undefined
    ? null
    : {
        capabilities: ["completion", "tools"],
        model_info: { "general.architecture": "qwen3", "qwen3.context_length": known },
      };
}

function refusal(request: WireRequest): Refusal | null {
  const { model, options, truncate } = request;
  if (!(model in MODELS)) return { status: 404, message: `model '${model}' not found` };
  const fits = promptTokens(request) <= (options?.num_ctx ?? 4_096);
  if (fits || truncate !== false || isOld(model)) return null;
  return { status: 400, message: "the input length exceeds the context length" };
}

/** Records before the last: the first says nothing yet, tool calls come whole. */
function messages(reply: ScriptedReply): object[] {
  const calls = toolCalls(reply);
  return [
    { content: "" },
    ...piecesOf(reply.reasoning ?? "", reply).map((thinking) => ({ content: "", thinking })),
    ...piecesOf(reply.text ?? "", reply).map((content) => ({ content })),
    ...calls.map((call) => ({ content: "", tool_calls: [call] })),
  ];
}

function wholeMessage(reply: ScriptedReply): object {
  const calls = toolCalls(reply);
  return {
    content: reply.text ?? "",
    ...(reply.reasoning === undefined ? {} : { thinking: reply.reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

/** Arguments are objects; what is none cannot be said in this protocol. */
function toolCalls({ toolCalls: calls = [] }: ScriptedReply): object[] {
  return calls.map(({ name, arguments: input }) => ({
    function: { name, arguments: typeof input === "string" ? { text: input } : input },
  }));
}

function record({ request }: Outgoing, message: object, done: boolean): object {
  return {
    model: request.model,
    created_at: new Date().toISOString(),
    message: { role: "assistant", ...message },
    done,
  };
}

function last({ request, reply, usage }: Outgoing, silent: boolean): object {
  const reason = finishReason(reply);
  const read = isOld(request.model)
    ? Math.min(usage.promptTokens, request.options?.num_ctx ?? 4_096)
    : usage.promptTokens;
  const counts = { prompt_eval_count: read, eval_count: usage.completionTokens, total_duration: 1 };
  return {
    ...(silent ? {} : { done_reason: reason === "tool_calls" ? "stop" : reason }),
    ...(reply.usage === null ? {} : counts),
  };
}

function promptTokens({ messages: said, tools }: WireRequest): number {
  return Math.ceil(Buffer.byteLength(JSON.stringify([said, tools ?? []])) / 4);
}

function isOld(model: string): boolean {
  return model.startsWith("old-");
}

function errorBody({ message = "It failed" }: ErrorFacts): object {
  return { error: message };
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
