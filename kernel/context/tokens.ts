import { SCRIPT, scriptOf } from "./script.ts";

/**
 * Estimated tokens, without any vendor's vocabulary. Each UTF-16 unit weighs what its script costs in common tokenizers, a
 * little to the safe side: English prose is about four units a token, Chinese about one and a fifth tokens a character.
 * `Calibration` corrects the rest by what the vendor reports. Whole weights in hundredths, so sums are exact and additive.
 */

const HUNDREDTHS = 100;
const WEIGHT = {
  [SCRIPT.space]: 18,
  [SCRIPT.letter]: 24,
  [SCRIPT.digit]: 50,
  [SCRIPT.mark]: 60,
  [SCRIPT.other]: 55,
  [SCRIPT.dense]: 120,
  [SCRIPT.surrogate]: 130,
} as const;

const ASCII = Uint8Array.from({ length: 0x80 }, (_, unit) => WEIGHT[scriptOf(unit)]);

function weightOf(unit: number): number {
  return unit < 0x80 ? (ASCII[unit] ?? 0) : WEIGHT[scriptOf(unit)];
}

/** Estimated tokens of `text`, rounded up. */
export function estimateTokens(text: string): number {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum += weightOf(text.charCodeAt(i));
  return Math.ceil(sum / HUNDREDTHS);
}

/** The index after the longest part of `text` from `start` that is estimated at no more than `tokens`. */
export function reach(text: string, start: number, tokens: number): number {
  let left = tokens * HUNDREDTHS;
  for (let i = start; i < text.length; i++) {
    left -= weightOf(text.charCodeAt(i));
    if (left < 0) return i;
  }
  return text.length;
}

/** No text that is estimated at `tokens` is longer, in UTF-16 units. */
export function longestReach(tokens: number): number {
  return Math.ceil((tokens * HUNDREDTHS) / WEIGHT[SCRIPT.space]);
}

/** The part of one observation in the running average: five calls move it by two thirds. */
const GAIN = 0.2;
const FACTOR_MIN = 0.5;
const FACTOR_MAX = 3;

/** The next correction factor after a call that was estimated at `estimated` (with `factor` in it) and billed at `billed`. */
export function recalibrate(factor: number, estimated: number, billed: number): number {
  if (estimated <= 0 || billed <= 0) return factor;
  const observed = Math.min(FACTOR_MAX, Math.max(FACTOR_MIN, (factor * billed) / estimated));
  return factor + GAIN * (observed - factor);
}
