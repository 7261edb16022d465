import type { PageRow } from "./page-table.ts";
import { estimateTokens } from "./tokens.ts";

/** What a prompt takes beyond the contents of its pages: vendors' marks around a message, our tags around a page. */

export const MESSAGE_TOKENS = 6;
const PAGE_TOKENS = 24;

/** Estimated tokens of a hot page where it stands, frame included. */
export function framedTokens(row: PageRow): number {
  switch (row.place) {
    case "memory":
      return row.tokens + PAGE_TOKENS + estimateTokens(row.source);
    case "history":
      return row.entry === row.ordinal ? row.tokens + MESSAGE_TOKENS : row.tokens;
    default:
      return row.tokens;
  }
}

export function framedSum(rows: readonly PageRow[]): number {
  return rows.reduce((sum, row) => sum + framedTokens(row), 0);
}
