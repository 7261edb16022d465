import type { Blocks } from "../storage/blocks.ts";
import { free } from "../storage/free.ts";

/**
 * A text in pieces that die young. Of a text of many megabytes one block is decoded at a time while it is cut into pages: as
 * one string it would take up to twice its bytes, and stay in memory until the next full garbage collection. A block is given
 * back when it was decoded, so blocks are read once.
 */
export function* piecesOf(text: string | Blocks): Generator<string, void, undefined> {
  if (typeof text === "string") return yield text;
  const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
  for (const [i, block] of text.entries()) {
    const piece = decoder.decode(block, { stream: i < text.length - 1 });
    free(block);
    yield piece;
  }
}
