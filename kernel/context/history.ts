import { LIMITS } from "../limits.ts";
import type { ChatMessage } from "../llm/chat.ts";
import type { PageRow, PageTable } from "./page-table.ts";
import { type Draft, type PageWriter, previewOf } from "./page-writer.ts";
import { cutsSurrogatePair, utf8Bytes } from "./script.ts";
import { estimateTokens, reach } from "./tokens.ts";

/**
 * The history of the conversation, append-only: messages, exchanges, replies. An entry is what stands in the prompt or
 * leaves it as a whole. What is too large for an entry becomes pages beside it, and the entry keeps the reference.
 */

/** Of a message too long to stand in the prompt: this part of what it may take is its beginning, as much its end. */
const EDGE_SHARE = 0.35;
const IDS_SHOWN = 8;
const REFERENCE_TOKENS = 16;

export class History {
  readonly #table: PageTable;
  readonly #writer: PageWriter;
  readonly #windowTokens: number;

  constructor(table: PageTable, writer: PageWriter, windowTokens: number) {
    this.#table = table;
    this.#writer = writer;
    this.#windowTokens = windowTokens;
  }

  /** A turn's input. Over `resultShare` of the window it becomes warm pages, and the entry keeps its beginning and its end. */
  appendMessage(content: string, sender: string, at: number): PageRow[] {
    const draft: Draft = { kind: "message", source: sender, importance: 0.5, pinned: false, place: "history", at };
    const most = this.#resultTokens(1);
    if (estimateTokens(content) <= most) return this.#enter(this.#writer.writeText(content, draft));
    const pages = this.#writer.writeText(content, { ...draft, place: null });
    const entry = this.#writer.write(edges(content, pages, most), draft, "", "");
    return [...this.#enter([entry]), ...pages];
  }

  /** A final answer. */
  appendReply(content: string, at: number): PageRow[] {
    return this.#enter(this.#writer.writeText(content, { ...PLAIN, kind: "reply", at }));
  }

  /** One group: an assistant's message with its tool calls, and their results. */
  appendExchange(messages: readonly ChatMessage[], at: number): PageRow[] {
    const parts = partsOf(messages);
    const most = { tokens: this.#resultTokens(parts), bytes: Math.floor(LIMITS.exchangeBytes / parts) };
    const pages: PageRow[] = [];
    const page = (text: string, source: string) => {
      const written = this.#writer.writeText(text, { ...PLAIN, kind: "tool_result", source, place: null, at });
      pages.push(...written);
      return written;
    };
    const names = toolNames(messages);
    const kept = messages.map((message) => shrink(message, most, names, page));
    const content = JSON.stringify(kept);
    const words = kept.map((message) => message.content ?? "").join("\n");
    const entry = this.#writer.write(content, { ...PLAIN, kind: "exchange", at }, "", words);
    return [...this.#enter([entry]), ...pages];
  }

  /** What one of `parts` things in a group may take. */
  #resultTokens(parts: number): number {
    return Math.floor(this.#windowTokens * Math.min(LIMITS.resultShare, LIMITS.exchangeShare / parts));
  }

  #enter(rows: PageRow[]): PageRow[] {
    const entry = rows[0]?.ordinal ?? null;
    if (entry !== null) for (const row of rows) this.#table.setEntry(row.ordinal, entry);
    return rows.map((row) => ({ ...row, entry }));
  }
}

const PLAIN: Omit<Draft, "kind" | "at"> = { source: "", importance: 0.5, pinned: false, place: "history" };

type Pager = (text: string, source: string) => PageRow[];
type Most = { tokens: number; bytes: number };

function fits(text: string, most: Most): boolean {
  return estimateTokens(text) <= most.tokens && utf8Bytes(JSON.stringify(text)) <= most.bytes;
}

/** What can be large in an exchange: arguments, results, what was said and what was thought. */
function partsOf(messages: readonly ChatMessage[]): number {
  const parts = messages.map((message) => (message.role === "assistant" ? 2 + (message.tool_calls ?? []).length : 1));
  return parts.reduce((sum, count) => sum + count, 0);
}

function toolNames(messages: readonly ChatMessage[]): Map<string, string> {
  const calls = messages.flatMap((message) => (message.role === "assistant" ? (message.tool_calls ?? []) : []));
  return new Map(calls.map((call) => [call.id, call.function.name]));
}

/** `message` with whatever is too large in it replaced by references to pages. */
function shrink(message: ChatMessage, most: Most, names: ReadonlyMap<string, string>, page: Pager): ChatMessage {
  if (message.role === "tool") {
    if (fits(message.content, most)) return message;
    const pages = page(message.content, names.get(message.tool_call_id) ?? "");
    return {
      ...message,
      content: JSON.stringify({ ok: saysOk(message.content), ...reference(message.content, pages, most) }),
    };
  }
  if (message.role !== "assistant") return message;
  const content =
    message.content === null || fits(message.content, most)
      ? message.content
      : edges(message.content, page(message.content, ""), most.tokens);
  const { reasoning_content: reasoning, tool_calls: calls } = message;
  return {
    role: "assistant",
    content,
    ...(calls === undefined ? {} : { tool_calls: calls.map((call) => shrinkCall(call, most, page)) }),
    ...(reasoning === undefined || !fits(reasoning, most) ? {} : { reasoning_content: reasoning }),
  };
}

function shrinkCall(
  call: NonNullable<Extract<ChatMessage, { role: "assistant" }>["tool_calls"]>[number],
  most: Most,
  page: Pager,
) {
  const { name, arguments: text } = call.function;
  if (fits(text, most)) return call;
  return { ...call, function: { name, arguments: JSON.stringify(reference(text, page(text, name), most)) } };
}

function reference(text: string, pages: readonly PageRow[], most: Most) {
  const shown = Math.max(1, Math.min(IDS_SHOWN, Math.floor(most.tokens / 4 / REFERENCE_TOKENS)));
  const ids = pages.slice(0, shown).map((page) => page.id);
  return { pages: ids, ...(pages.length > shown ? { morePages: pages.length - shown } : {}), preview: previewOf(text) };
}

function saysOk(json: string): boolean {
  return !/^\s*\{\s*"ok"\s*:\s*false/.test(json);
}

/** The beginning and the end of a text that is too long, and where the rest is. */
function edges(text: string, pages: readonly PageRow[], tokens: number): string {
  const share = Math.floor(tokens * EDGE_SHARE);
  const head = text.slice(0, whole(text, reach(text, 0, share)));
  const tailUnits = reach(text, Math.max(0, text.length - head.length), share) - Math.max(0, text.length - head.length);
  const tail = text.slice(whole(text, text.length - tailUnits));
  const ids = pages
    .slice(0, IDS_SHOWN)
    .map((page) => page.id)
    .join(" ");
  const more = pages.length > IDS_SHOWN ? ` and ${pages.length - IDS_SHOWN} more` : "";
  return `${head}\n[… the whole text is in ${pages.length} memory pages: ${ids}${more}. Search or read them. …]\n${tail}`;
}

function whole(text: string, index: number): number {
  return cutsSurrogatePair(text, index) ? index - 1 : index;
}
