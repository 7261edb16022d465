import { type ChatReply, FINISH_REASONS, type FinishReason, type Prefill, type ToolCall } from "./chat.ts";
import type { Completion, Delta, ToolCallDelta } from "./wire.ts";

/**
 * Puts a reply together from its chunks. What comes after the finish reason is ignored, except usage: some servers send
 * the last chunk twice.
 */

/** Finish reasons that other servers use for ours. */
const ALIASES: Readonly<Record<string, FinishReason>> = { function_call: "tool_calls", end_turn: "stop", eos: "stop" };

/** What a chunk added. */
export interface Added {
  /** Visible text. */
  text: string;
  reasoning: string;
}

const NOTHING: Added = { text: "", reasoning: "" };

interface PartialCall {
  id: string;
  name: string;
  arguments: string;
}

export class ReplyAccumulator {
  #id = "";
  #content: string;
  #reasoning: string;
  #finish: string | null = null;
  #usage: Record<string, unknown> | null = null;
  readonly #calls = new Map<number, PartialCall>();

  /** The vendors that go on from a `prefill` leave it out of what they send. */
  constructor(prefill: Prefill = { content: "", reasoning: "" }) {
    this.#content = prefill.content;
    this.#reasoning = prefill.reasoning;
  }

  /** Takes one chunk; answers what it added. */
  add(chunk: Completion): Added {
    this.#id ||= chunk.id ?? "";
    const choice = chunk.choices?.find(({ index }) => (index ?? 0) === 0);
    this.#usage = chunk.usage ?? choice?.usage ?? this.#usage;
    if (choice === undefined || this.#finish !== null) return NOTHING;
    const added = this.#append(choice.delta ?? choice.message ?? {});
    this.#finish = choice.finish_reason || null;
    return added;
  }

  /** The vendor's word for why it stopped; null until it said one. */
  get finish(): string | null {
    return this.#finish;
  }

  /** Usage as the vendor sent it, last one first. */
  get usage(): Record<string, unknown> | null {
    return this.#usage;
  }

  /** What has come so far, whether complete or not. */
  get partial(): Omit<ChatReply, "usage" | "finishReason"> {
    return { content: this.#content, reasoning: this.#reasoning, toolCalls: this.#toolCalls() };
  }

  /** Why it finished in the kernel's words, or what is wrong with how it did. */
  finishReason(): { ok: true; reason: FinishReason } | { ok: false; problem: string } {
    const calls = [...this.#calls.values()];
    if (calls.some(({ name }) => name === "")) return { ok: false, problem: "a tool call has no name" };
    const word = this.#finish ?? "";
    const reason = FINISH_REASONS.find((known) => known === word) ?? ALIASES[word];
    if (reason === undefined) return { ok: false, problem: `finish_reason ${JSON.stringify(word)} is not known` };
    if (reason === "tool_calls" && calls.length === 0) {
      return { ok: false, problem: "it announces tool calls and has none" };
    }
    // Some servers say `stop` although the model called tools.
    return { ok: true, reason: reason === "stop" && calls.length > 0 ? "tool_calls" : reason };
  }

  #append(delta: Delta): Added {
    const reasoning = delta.reasoning_content ?? delta.reasoning ?? "";
    this.#reasoning += reasoning;
    const text = (delta.content ?? "") + (delta.refusal ?? "");
    this.#content += text;
    for (const call of delta.tool_calls ?? []) this.#appendCall(call);
    return { text, reasoning };
  }

  #appendCall(delta: ToolCallDelta): void {
    const index = delta.index ?? this.#indexOf(delta);
    const call = this.#calls.get(index) ?? { id: "", name: "", arguments: "" };
    call.id ||= delta.id ?? "";
    call.name += delta.function?.name ?? "";
    call.arguments += delta.function?.arguments ?? "";
    this.#calls.set(index, call);
  }

  /** Servers without an index open a new call by a new id and continue the newest one otherwise. */
  #indexOf({ id }: ToolCallDelta): number {
    const newest = this.#calls.size - 1;
    const opens = newest < 0 || (id !== null && id !== undefined && this.#calls.get(newest)?.id !== id);
    return opens ? newest + 1 : newest;
  }

  #toolCalls(): ToolCall[] {
    const ordered = [...this.#calls].sort(([a], [b]) => a - b);
    return ordered.map(([index, call]) => ({
      id: call.id || `${this.#id || "call"}_${index}`,
      type: "function",
      function: { name: call.name, arguments: call.arguments || "{}" },
    }));
  }
}
