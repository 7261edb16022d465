import { LIMITS } from "../../../kernel/limits.ts";

/** `text` in parts of at most `chars` UTF-16 units: cut after a line where there is one near the end, never inside a character. */
export function* textParts(text: string, chars: number = LIMITS.uploadChars): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const end = start + chars >= text.length ? text.length : cutBefore(text, start, start + chars);
    yield text.slice(start, end);
    start = end;
  }
}

/** The last place at or before `limit` where a cut tears nothing apart, looking back over at most half a part. */
function cutBefore(text: string, start: number, limit: number): number {
  const newline = text.lastIndexOf("\n", limit - 1);
  if (newline >= start + (limit - start) / 2) return newline + 1;
  const isLowSurrogate = (text.charCodeAt(limit) & 0xfc00) === 0xdc00;
  return isLowSurrogate && limit - 1 > start ? limit - 1 : limit;
}
