import { MEMORY_HEADER } from "../../../kernel/context/prompt-format.ts";
import type { Rule, Script, ScriptedReply, ScriptedUsage } from "./script.ts";

/** Chooses the answer to a request: the script's, or an echo. */

export interface WireMessage {
  role: string;
  content?: string | null;
  reasoning_content?: string;
  tool_calls?: unknown[];
  /** How Kimi and DeepSeek are asked to go on from a message. */
  partial?: boolean;
  prefix?: boolean;
}

/** What servers look at in a request, whichever vendor's it is. */
export interface WireRequest {
  model: string;
  messages: WireMessage[];
  tools?: unknown[];
  stream?: boolean;
  stream_options?: { include_usage?: boolean };
  max_tokens?: number;
  temperature?: number;
  reasoning_effort?: string;
  tool_choice?: unknown;
  user_id?: string;
  truncate?: boolean;
  options?: { num_ctx?: number };
}

/** What decides the answers of the server. */
export interface Answers {
  load(script: Script): void;
  /** Called once a request, in the order in which requests came. May take its time. */
  answer(request: WireRequest): ScriptedReply | Promise<ScriptedReply>;
}

export class ScriptedModel implements Answers {
  #queue: ScriptedReply[] = [];
  #rules: { rule: Rule; left: number }[] = [];

  /** Replaces what was scripted before. */
  load({ queue = [], rules = [] }: Script): void {
    this.#queue = [...queue];
    this.#rules = rules.map((rule) => ({ rule, left: rule.times ?? Number.POSITIVE_INFINITY }));
  }

  answer(request: WireRequest): ScriptedReply {
    const queued = this.#queue.shift();
    if (queued !== undefined) return queued;
    const found = this.#rules.find(({ rule, left }) => left > 0 && matches(rule, request));
    if (found === undefined) return { text: `echo: ${lastUser(request)}` };
    found.left -= 1;
    return found.rule.reply;
  }
}

/** Honest counts by a simple estimate, four bytes a token, where the script does not say. */
export function usageOf(request: WireRequest, reply: ScriptedReply): Required<ScriptedUsage> {
  const tokens = (value: unknown): number => Math.ceil(Buffer.byteLength(JSON.stringify(value)) / 4);
  return {
    promptTokens: reply.usage?.promptTokens ?? tokens([request.messages, request.tools ?? []]),
    cachedTokens: reply.usage?.cachedTokens ?? 0,
    completionTokens: reply.usage?.completionTokens ?? tokens([reply.text, reply.toolCalls, reply.reasoning]),
    reasoningTokens: reply.usage?.reasoningTokens ?? 0,
  };
}

/** The newest user text that is not the memory message. */
function lastUser({ messages }: WireRequest): string {
  const found = messages.findLast(({ role, content }) => role === "user" && !content?.startsWith(MEMORY_HEADER));
  return found?.content ?? "";
}

function matches({ match = {} }: Rule, request: WireRequest): boolean {
  const last = request.messages.findLast(({ role }) => role === "tool" || role === "user");
  const lastTool = last?.role === "tool" ? (last.content ?? "") : "";
  return (
    lastUser(request).includes(match.lastUser ?? "") &&
    (match.lastTool === undefined || (lastTool !== "" && lastTool.includes(match.lastTool))) &&
    request.model.includes(match.model ?? "")
  );
}
