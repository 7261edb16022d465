import type { Page } from "../../../kernel/context/page.ts";
import { CITATION } from "../../../kernel/context/prompt-format.ts";

/** Whether an answer keeps its word: each passage that it quotes must stand in the page that it names. */

export interface Citation {
  pageId: string;
  /** The words in quotation marks before the page's id; null when the page is named without a quote. */
  quote: string | null;
}

export interface CheckedCitation extends Citation {
  source: string;
  /** Null when there is no quote to check. */
  stands: boolean | null;
}

/** The text of an answer up to each `[pg_...]`, with the last quotation in it. */
export function citationsOf(answer: string): Citation[] {
  const found: Citation[] = [];
  let start = 0;
  for (const match of answer.matchAll(CITATION)) {
    found.push({ pageId: match[1] ?? "", quote: lastQuotation(answer.slice(start, match.index)) });
    start = match.index + match[0].length;
  }
  return found;
}

const QUOTATION = /[“「『]([^”」』]+)[”」』]|"([^"]+)"/g;

function lastQuotation(text: string): string | null {
  const last = [...text.matchAll(QUOTATION)].at(-1);
  return last?.[1] ?? last?.[2] ?? null;
}

/** Fetches each cited page once and looks for the quote in it. White space may differ, nothing else. */
export async function checkCitations(
  citations: readonly Citation[],
  readPage: (pageId: string) => Promise<Page>,
): Promise<CheckedCitation[]> {
  const pages = new Map<string, Page>();
  for (const { pageId } of citations) if (!pages.has(pageId)) pages.set(pageId, await readPage(pageId));
  return citations.map((citation) => {
    const page = pages.get(citation.pageId);
    return { ...citation, source: page?.source ?? "", stands: stands(citation.quote, page?.content ?? "") };
  });
}

function stands(quote: string | null, content: string): boolean | null {
  return quote === null ? null : flat(content).includes(flat(quote));
}

function flat(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
