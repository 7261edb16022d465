import type { ChatMessage, ChatReply, ChatRequest, ToolDefinition } from "../../../kernel/llm/chat.ts";
import { OllamaNative } from "../../../kernel/llm/ollama/ollama-native.ts";
import { type AccountOptions, type Deadlines, OpenAiCompatible } from "../../../kernel/llm/openai-compatible.ts";
import type { ChatHooks, ChatOutcome, Provider } from "../../../kernel/llm/provider.ts";
import { deepseek } from "../../../kernel/llm/providers/deepseek.ts";
import { kimi } from "../../../kernel/llm/providers/kimi.ts";
import { ollama } from "../../../kernel/llm/providers/ollama.ts";
import { openai } from "../../../kernel/llm/providers/openai.ts";
import type { ModelServer } from "../../support/model-server/client.ts";

/** The four vendors as their drivers see them, each against its dialect of the scripted model server. */

export const KEY = "sk-secret-0123456789";
export const WRONG_KEY = "wrong-key-0123456789";

export const TOOL: ToolDefinition = {
  type: "function",
  function: {
    name: "calculate",
    description: "Does sums.",
    parameters: { type: "object", properties: { expression: { type: "string" } } },
  },
};

/** Longer than any test takes: only a test of a hang shortens one. */
const PATIENT: Deadlines = { headersMs: 30_000, idleMs: 30_000, totalMs: 60_000 };

export interface VendorCase {
  name: string;
  model: string;
  /** The variable that a refused key is about. */
  variable: string;
  /** Whether it speaks chat completions, with ids for calls and cached tokens in its usage. */
  completions: boolean;
  /** Tokens that are counted as cached once a prompt is repeated, or null when it tells nothing. */
  cacheUnit: number | null;
  reasons: boolean;
  make(options: AccountOptions): Provider;
}

export const VENDORS: readonly VendorCase[] = [
  {
    name: "openai",
    model: "gpt-6-luna",
    variable: "OPENAI_API_KEY",
    completions: true,
    cacheUnit: 128,
    reasons: false,
    make: (options) => new OpenAiCompatible(openai, options),
  },
  {
    name: "deepseek",
    model: "deepseek-flash",
    variable: "DEEPSEEK_API_KEY",
    completions: true,
    cacheUnit: 64,
    reasons: true,
    make: (options) => new OpenAiCompatible(deepseek, options),
  },
  {
    name: "kimi",
    model: "kimi-k2.6",
    variable: "KIMI_API_KEY",
    completions: true,
    cacheUnit: 256,
    reasons: true,
    make: (options) => new OpenAiCompatible(kimi, options),
  },
  {
    name: "ollama",
    model: "qwen3:8b",
    variable: "OLLAMA_BASE_URL",
    completions: false,
    cacheUnit: null,
    reasons: true,
    make: (options) => new OllamaNative(ollama, options),
  },
];

export function vendorCase(name: string): VendorCase {
  const found = VENDORS.find((vendor) => vendor.name === name);
  if (found === undefined) throw new Error(`no vendor ${name}`);
  return found;
}

/** The vendor's driver, at its dialect of `server`. */
export function providerAt(
  server: ModelServer,
  vendor: VendorCase,
  deadlines: Partial<Deadlines> = {},
  apiKey = KEY,
): Provider {
  const version = vendor.name === "openai" || vendor.name === "kimi" ? "/v1" : "";
  return vendor.make({
    baseUrl: `${server.url}/${vendor.name}${version}`,
    apiKey,
    fetch,
    clock: { now: () => Date.now() },
    deadlines: { ...PATIENT, ...deadlines },
  });
}

export function requestFor(vendor: VendorCase, messages: ChatMessage[] = [asked("How much is 2+2?")]): ChatRequest {
  return { model: vendor.model, messages, tools: [], maxOutputTokens: 256 };
}

export function asked(content: string): ChatMessage {
  return { role: "user", content };
}

export function chat(provider: Provider, request: ChatRequest, hooks: Partial<ChatHooks> = {}): Promise<ChatOutcome> {
  return provider.chat(request, { signal: new AbortController().signal, ...hooks });
}

export function replyOf(outcome: ChatOutcome): ChatReply {
  if (!outcome.ok) throw new Error(`${outcome.error.code}: ${outcome.error.message}`);
  return outcome.reply;
}

export function failureOf(outcome: ChatOutcome) {
  if (outcome.ok) throw new Error(`accepted: ${outcome.reply.content}`);
  return { code: outcome.error.code, retryable: outcome.retryable, billed: outcome.billed };
}

/** The body of the newest request that the server saw. */
export async function lastBody(server: ModelServer): Promise<Record<string, unknown>> {
  const entry = (await server.journal()).findLast(({ type }) => type === "request");
  return (entry?.type === "request" ? entry.body : {}) as Record<string, unknown>;
}
