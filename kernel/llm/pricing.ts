import type { TokenUsage } from "./chat.ts";
import type { ModelPrice } from "./provider.ts";

/**
 * What a call costs, in integer nano-dollars. Sums are exact (BigInt over nano-dollars per million tokens) and rounded
 * up once a call, so that many small calls never cost nothing.
 */

const TOKENS_PER_PRICE = 1_000_000n;
/** Factors such as 1.5 are exact in thousandths. */
const FACTOR_SCALE = 1_000n;
const HOUR_MS = 3_600_000;
const FRIDAY = 5;

type Counts = Pick<TokenUsage, "promptTokens" | "cachedTokens" | "cacheWriteTokens" | "completionTokens">;

/**
 * The cost of a finished call. `atMs` (milliseconds since the epoch) picks between peak and off-peak prices where a
 * vendor has both; without it the dearer one counts.
 */
export function costNanoUsd(usage: Counts, price: ModelPrice, atMs?: number): number {
  const long = price.longContext !== undefined && usage.promptTokens > price.longContext.aboveTokens;
  const cached = Math.min(usage.cachedTokens, usage.promptTokens);
  const written = Math.min(usage.cacheWriteTokens ?? 0, usage.promptTokens - cached);
  const input =
    product(usage.promptTokens - cached - written, price.inputNanoUsdPerMTok) +
    product(cached, price.cachedInputNanoUsdPerMTok) +
    product(written, price.cacheWriteNanoUsdPerMTok ?? price.inputNanoUsdPerMTok);
  const output = product(usage.completionTokens, price.outputNanoUsdPerMTok);
  const sum = long
    ? input * scaled(price.longContext?.inputFactor) + output * scaled(price.longContext?.outputFactor)
    : (input + output) * FACTOR_SCALE;
  return Number(roundedUp(sum * scaled(peakFactor(price, atMs)), TOKENS_PER_PRICE * FACTOR_SCALE * FACTOR_SCALE));
}

/** What a call can cost at most: nothing cached, the dearest hour, the dearest kind of input. For reservations. */
export function maxCostNanoUsd(promptTokens: number, completionTokens: number, price: ModelPrice): number {
  const dearest = Math.max(price.inputNanoUsdPerMTok, price.cacheWriteNanoUsdPerMTok ?? 0);
  return costNanoUsd({ promptTokens, cachedTokens: 0, completionTokens }, { ...price, inputNanoUsdPerMTok: dearest });
}

function product(tokens: number, nanoUsdPerMTok: number): bigint {
  return BigInt(tokens) * BigInt(nanoUsdPerMTok);
}

function scaled(factor = 1): bigint {
  return BigInt(Math.round(factor * Number(FACTOR_SCALE)));
}

function roundedUp(sum: bigint, divisor: bigint): bigint {
  return (sum + divisor - 1n) / divisor;
}

function peakFactor({ peak }: ModelPrice, atMs: number | undefined): number {
  if (peak === undefined) return 1;
  if (atMs === undefined) return peak.factor;
  const day = new Date(atMs).getUTCDay();
  const hour = Math.floor(atMs / HOUR_MS) % 24;
  const working = day >= 1 && day <= FRIDAY;
  return working && peak.hoursUtc.some(([from, to]) => hour >= from && hour < to) ? peak.factor : 1;
}
