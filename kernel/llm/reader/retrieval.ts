import { LIMITS } from "../../limits.ts";
import type { ToolDefinition } from "../chat.ts";
import type { Command } from "./command.ts";
import type { Conversation, DoneCall, SeenPage } from "./conversation.ts";
import { quotesFor } from "./evidence.ts";
import { languageOf, PHRASES } from "./language.ts";
import type { Move } from "./plan.ts";
import { type Term, termsOf } from "./terms.ts";

/** Answers a question from memory in at most three steps: search, read the best pages, quote. */

interface Hit {
  id: string;
  snippet: string;
}

export function retrieve(conversation: Conversation, tools: readonly ToolDefinition[]): Move {
  const { input, done, pages } = conversation;
  const phrases = PHRASES[languageOf(input)];
  const terms = termsOf(input);
  if (terms.length === 0) return { say: phrases.idle };
  const search = done.find(({ name }) => name === "memory_search");
  if (search === undefined && offers(tools, "memory_search")) return { calls: [searchFor(input, terms)] };
  const hits = search === undefined ? [] : hitsOf(search);
  const wanted = done.some(({ name }) => name === "memory_read") ? [] : unseen(hits, pages);
  if (wanted.length > 0 && offers(tools, "memory_read")) return { calls: wanted.map(readOf) };
  const quotes = quotesFor(input, terms, ranked(hits, pages));
  return {
    say: quotes.length === 0 ? phrases.noAnswer : quotes.map(({ text, pageId }) => `“${text}” [${pageId}]`).join("\n"),
  };
}

function offers(tools: readonly ToolDefinition[], name: string): boolean {
  return tools.some((tool) => tool.function.name === name);
}

/** Long inputs are asked by their words: the words around them would only blur the search. */
function searchFor(input: string, terms: readonly Term[]): Command {
  const long = input.length > LIMITS.readerQuoteChars;
  const query = long
    ? terms
        .filter(({ weight }) => weight === 1)
        .map(({ text }) => text)
        .join(" ")
    : input;
  const json = { query: query.slice(0, LIMITS.queryChars), limit: LIMITS.readerSearchHits };
  return { name: "memory_search", arguments: JSON.stringify(json) };
}

function readOf({ id }: Hit): Command {
  return { name: "memory_read", arguments: JSON.stringify({ pageId: id }) };
}

function unseen(hits: readonly Hit[], pages: readonly SeenPage[]): Hit[] {
  const seen = new Set(pages.map(({ id }) => id));
  return hits.slice(0, LIMITS.readerPageReads).filter(({ id }) => !seen.has(id));
}

/** The list in a search result, by whatever name it goes. */
function hitsOf({ result }: DoneCall): Hit[] {
  const list = Object.values(result).find((value) => Array.isArray(value)) ?? [];
  return (list as unknown[]).flatMap((item) => {
    const { id, pageId, snippet } = (item ?? {}) as Record<string, unknown>;
    const found = typeof id === "string" ? id : pageId;
    return typeof found === "string" ? [{ id: found, snippet: typeof snippet === "string" ? snippet : "" }] : [];
  });
}

/** Pages in memory's order, those only in sight after them; of a page that was not read there is its snippet. */
function ranked(hits: readonly Hit[], pages: readonly SeenPage[]): SeenPage[] {
  const seen = new Map(pages.map((page) => [page.id, page]));
  const found = hits.map(({ id, snippet }) => seen.get(id) ?? { id, content: plain(snippet) });
  const others = pages.filter(({ id }) => !hits.some((hit) => hit.id === id));
  return [...found, ...others].filter(({ content }) => content !== "");
}

/** A snippet without marks of its cut. */
function plain(snippet: string): string {
  return snippet.replace(/^(?:…|\.\.\.)\s*|\s*(?:…|\.\.\.)$/g, "").trim();
}
