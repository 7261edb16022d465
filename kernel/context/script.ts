/**
 * Which family of writing a UTF-16 unit belongs to: what token counts, splitting and indexing all need to know. A table
 * lookup, because texts of many megabytes pass through it unit by unit.
 */

export const SCRIPT = { space: 0, letter: 1, digit: 2, mark: 3, other: 4, dense: 5, surrogate: 6 } as const;
export type Script = (typeof SCRIPT)[keyof typeof SCRIPT];

/** Writing without spaces between words, first and last unit of each block: Thai to Myanmar, kana, Han, Hangul. */
const DENSE: readonly (readonly [number, number])[] = [
  [0x0e00, 0x0eff],
  [0x1000, 0x109f],
  [0x1780, 0x17ff],
  [0x3040, 0x30ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xac00, 0xd7af],
  [0xf900, 0xfaff],
];

function asciiScript(unit: number): Script {
  if (unit <= 0x20 || unit === 0x7f) return SCRIPT.space;
  if (unit >= 0x30 && unit <= 0x39) return SCRIPT.digit;
  const lower = unit | 0x20;
  return lower >= 0x61 && lower <= 0x7a ? SCRIPT.letter : SCRIPT.mark;
}

/** The script of one UTF-16 unit. Full-width and CJK punctuation are marks. */
export function scriptOf(unit: number): Script {
  if (unit < 0x80) return asciiScript(unit);
  if (unit >= 0xd800 && unit <= 0xdfff) return SCRIPT.surrogate;
  if (unit === 0xa0 || unit === 0x3000 || unit === 0x2028 || unit === 0x2029) return SCRIPT.space;
  if ((unit >= 0x2000 && unit <= 0x2bff) || (unit >= 0x3001 && unit <= 0x303f) || unit >= 0xff00) return SCRIPT.mark;
  for (const [first, last] of DENSE) if (unit >= first && unit <= last) return SCRIPT.dense;
  return SCRIPT.other;
}

/** Whether a cut before `index` would part the two halves of one character. */
export function cutsSurrogatePair(text: string, index: number): boolean {
  if (index <= 0 || index >= text.length) return false;
  const before = text.charCodeAt(index - 1);
  const after = text.charCodeAt(index);
  return before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff;
}

/** UTF-8 bytes of `text`, without encoding it. A lone surrogate counts as the replacement character does: 3. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    if (cutsSurrogatePair(text, i + 1)) i += 1;
  }
  return bytes;
}
