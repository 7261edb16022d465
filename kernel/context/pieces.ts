import { LIMITS } from "../limits.ts";

/**
 * A text in pieces that die young. A text of many megabytes comes as UTF-8 and is decoded while it is cut into pages: as
 * one string it would take up to twice its bytes, and stay in memory until the next full garbage collection.
 */
export function* piecesOf(text: string | Uint8Array): Generator<string, void, undefined> {
  if (typeof text === "string") return yield text;
  const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
  for (let at = 0; at < text.length; at += LIMITS.ingestPieceBytes) {
    const end = at + LIMITS.ingestPieceBytes;
    yield decoder.decode(text.subarray(at, end), { stream: end < text.length });
  }
}
