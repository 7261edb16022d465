import { MEMORY_HEADER, parsePages } from "../../context/prompt-format.ts";
import type { ChatMessage } from "../chat.ts";
import { parseJson } from "../wire.ts";

/**
 * What the messages of a request say about the task at hand: the newest input, what was already done about it, and the
 * pages in sight. The reader keeps no state, so this is all that it knows.
 */

export interface DoneCall {
  name: string;
  /** JSON text. */
  arguments: string;
  /** The result as an object; a result that is no JSON object is `{ ok: true, content: text }`. */
  result: Readonly<Record<string, unknown>>;
}

export interface SeenPage {
  id: string;
  content: string;
}

export interface Conversation {
  /** Empty when nobody asked for anything. */
  input: string;
  /** Calls since the input, oldest first. */
  done: DoneCall[];
  /** Pages whose content stands in the prompt or in results of `memory_read`. */
  pages: SeenPage[];
}

export function conversationOf(messages: readonly ChatMessage[]): Conversation {
  const at = messages.findLastIndex((message) => message.role === "user" && inputOf(message.content) !== "");
  const done = doneCalls(messages.slice(at + 1));
  return { input: inputOf(messages[at]?.content ?? ""), done, pages: pagesOf(messages, done) };
}

/** A user message without the pages that it carries; empty for the memory message. */
function inputOf(content: string): string {
  if (content.startsWith(MEMORY_HEADER)) return "";
  return content.replace(/<page id="pg_[\s\S]*?\n<\/page>/g, "").trim();
}

function doneCalls(messages: readonly ChatMessage[]): DoneCall[] {
  const results = new Map(
    messages.flatMap((item) => (item.role === "tool" ? [[item.tool_call_id, item.content]] : [])),
  );
  const calls = messages.flatMap((item) => (item.role === "assistant" ? (item.tool_calls ?? []) : []));
  return calls.map((call) => ({
    name: call.function.name,
    arguments: call.function.arguments,
    result: objectOf(results.get(call.id) ?? ""),
  }));
}

function objectOf(text: string): Record<string, unknown> {
  const value = parseJson(text);
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : { ok: true, content: text };
}

function pagesOf(messages: readonly ChatMessage[], done: readonly DoneCall[]): SeenPage[] {
  const shown = messages.flatMap((message) => (message.role === "tool" ? [] : parsePages(message.content ?? "")));
  const read = done.filter(({ name }) => name === "memory_read").flatMap(({ result }) => readPage(result));
  const pages = new Map([...shown, ...read].map(({ id, content }) => [id, { id, content }]));
  return [...pages.values()];
}

/** The page in a result of `memory_read`; none when the call failed. */
function readPage(result: Readonly<Record<string, unknown>>): SeenPage[] {
  const { pageId: id, content } = result;
  return typeof id === "string" && typeof content === "string" ? [{ id, content }] : [];
}
