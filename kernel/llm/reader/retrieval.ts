import { LIMITS } from "../../limits.ts";
import type { ToolDefinition } from "../chat.ts";
import type { Command } from "./command.ts";
import type { Conversation, DoneCall, SeenPage } from "./conversation.ts";
import { quotesFor } from "./evidence.ts";
import { languageOf, PHRASES } from "./language.ts";
import type { Move } from "./plan.ts";
import { quotation } from "./quotation.ts";
import { type Term, termsOf } from "./terms.ts";

/**
 * Answers a question from memory in at most three steps: search, read the best pages that are not in sight, quote. Few are
 * read, and only once: in a small window a larger exchange would push everything else out of the prompt.
 */

/** The best-ranked pages are read, as far as they are few. */
const BEST_HITS = 3;

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
  const hasRead = done.some(({ name }) => name === "memory_read");
  // In a small window the search may have left the prompt before the pages that it led to.
  if (search === undefined && !hasRead && offers(tools, "memory_search")) return { calls: [searchFor(input, terms)] };
  const hits = search === undefined ? [] : hitsOf(search);
  const wanted = hasRead ? [] : unseen(hits, pages);
  if (wanted.length > 0 && offers(tools, "memory_read")) return { calls: wanted.map(readOf) };
  const quotes = quotesFor(
    input,
    terms,
    ranked(hits, pages).filter((page) => isEvidence(page, input)),
  );
  const said = quotes.map(({ text, pageId }) => `${quotation(text)} [${pageId}]`).join("\n");
  return { say: said === "" ? phrases.noAnswer : said };
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
  const limit = languageOf(input) === "zh" ? LIMITS.readerSearchHitsHan : LIMITS.readerSearchHits;
  const json = { query: query.slice(0, LIMITS.queryChars), limit };
  return { name: "memory_search", arguments: JSON.stringify(json) };
}

function readOf({ id }: Hit): Command {
  return { name: "memory_read", arguments: JSON.stringify({ pageId: id }) };
}

function unseen(hits: readonly Hit[], pages: readonly SeenPage[]): Hit[] {
  const seen = new Set(pages.map(({ id }) => id));
  const best = hits.slice(0, BEST_HITS).filter(({ id }) => !seen.has(id));
  return best.slice(0, LIMITS.readerPageReads);
}

/**
 * The hits of a search. A result that was too long for the window stands in pages of its own; what is left of it in the
 * prompt is how it begins, and that names the best hit.
 */
function hitsOf({ result }: DoneCall): Hit[] {
  const { items, preview } = result;
  if (Array.isArray(items)) return (items as unknown[]).flatMap(hitOf);
  const begins = typeof preview === "string" ? preview : "";
  return [...begins.matchAll(/"id":\s*"(pg_[0-9a-z]+)"/g)].map(([, id = ""]) => ({ id, snippet: "" }));
}

function hitOf(item: unknown): Hit[] {
  const { id, snippet } = (item ?? {}) as Record<string, unknown>;
  return typeof id === "string" ? [{ id, snippet: typeof snippet === "string" ? snippet : "" }] : [];
}

/** Pages in memory's order, those only in sight after them; of a page that was not read there is its snippet. */
function ranked(hits: readonly Hit[], pages: readonly SeenPage[]): SeenPage[] {
  const seen = new Map(pages.map((page) => [page.id, page]));
  const found = hits.map(({ id, snippet }) => seen.get(id) ?? { id, content: plain(snippet) });
  const others = pages.filter(({ id }) => !hits.some((hit) => hit.id === id));
  return [...found, ...others];
}

/** A snippet without marks of its cut. */
function plain(snippet: string): string {
  return snippet.replace(/^…\s*|\s*…$/g, "").trim();
}

/** Neither the question itself nor the record of an earlier search, which memory holds too, answers anything. */
function isEvidence({ content }: SeenPage, input: string): boolean {
  const records = /"tool_calls"|"tool_call_id"|\\?"ok\\?":/;
  return content !== "" && content.trim() !== input && !records.test(content.slice(0, LIMITS.snippetChars));
}
