import { Decimal } from "decimal.js";
import { LIMITS } from "../../../limits.ts";

/**
 * Decimal numbers that know whether they are exact. Sums, products and whole powers are computed without rounding, then
 * kept to `LIMITS.expressionDigits`; what had to be rounded, and what came from such a number, is not exact any more.
 */

export interface Value {
  readonly number: Decimal;
  readonly exact: boolean;
}

/** Wide enough for the sum of the largest and the smallest value. */
const EXACT_DIGITS = 2 * LIMITS.expressionExponent + 2 * LIMITS.expressionDigits;

/** For what decimals hold without rounding. The remainder has the sign of the divisor. */
export const Exact = Decimal.clone({
  defaults: true,
  precision: EXACT_DIGITS,
  rounding: Decimal.ROUND_HALF_UP,
  modulo: Decimal.ROUND_FLOOR,
});

/** For what has no end: quotients, roots, logarithms. */
export const Rounded = Decimal.clone({
  defaults: true,
  precision: LIMITS.expressionDigits,
  rounding: Decimal.ROUND_HALF_UP,
});

/** Guard digits: a number that is not exact is trusted up to these last ones. */
const GUARD_DIGITS = 10;

/** `number`, cut to the digits that are kept; `exact` says whether it was before. */
export function kept(number: Decimal, exact: boolean): Value {
  if (number.precision() <= LIMITS.expressionDigits) return { number, exact };
  return { number: number.toSignificantDigits(LIMITS.expressionDigits), exact: false };
}

/** A number that is not exact, without its guard digits: sqrt(2)^2 becomes 2 before it is compared or cut. */
export function trusted({ number, exact }: Value): Decimal {
  return exact ? number : number.toSignificantDigits(LIMITS.expressionDigits - GUARD_DIGITS);
}

/** Why `number` cannot be a value, or null. */
export function rangeFault(number: Decimal): string | null {
  if (number.isNaN()) return "the result is not a real number.";
  if (number.isZero()) return null;
  if (!number.isFinite() || number.e > LIMITS.expressionExponent) {
    return `the result is beyond 1e${LIMITS.expressionExponent}.`;
  }
  return number.e < -LIMITS.expressionExponent ? `the result is below 1e-${LIMITS.expressionExponent}.` : null;
}

export function divide(left: Decimal, right: Decimal): { number: Decimal; exact: boolean } {
  const number = Rounded.div(left, right);
  return { number, exact: Exact.mul(number, right).eq(left) };
}

/** About log10|x|, also of numbers that a double cannot hold. */
function log10(x: Decimal): number {
  const [digits = "0", exponent = "0"] = x.abs().toExponential(15).split("e");
  return Math.log10(Number(digits)) + Number(exponent);
}

/** Whether `base` ^ `power` is so large or small that computing it is not worth the time. */
export function isFarOut(base: Decimal, power: Decimal): boolean {
  return Math.abs(log10(base) * power.toNumber()) > LIMITS.expressionExponent + 1;
}

/** `base` is not zero where `power` is negative, and not negative where `power` is no whole number. */
export function power(base: Decimal, power: Decimal): { number: Decimal; exact: boolean } {
  const isShort = power.isInteger() && base.precision() * Math.abs(power.toNumber()) <= EXACT_DIGITS;
  if (!isShort) return { number: Rounded.pow(base, power), exact: power.isInteger() && base.abs().eq(1) };
  const whole = Exact.pow(base, power.abs());
  return power.isNegative() ? divide(new Exact(1), whole) : { number: whole, exact: true };
}

/** As people write it: plain while it is short, else with an exponent. */
export function format(value: Value): string {
  const { number, exact } = value;
  if (number.isZero()) return "0";
  const shown = exact ? number : number.toSignificantDigits(LIMITS.roundedDigits);
  const isLong = shown.e < -LIMITS.roundedDigits || shown.e >= (exact ? LIMITS.expressionDigits : LIMITS.roundedDigits);
  return isLong ? shown.toExponential() : shown.toFixed();
}
