import type { Decimal } from "decimal.js";
import { LIMITS } from "../../../limits.ts";
import { Exact, kept, Rounded, trusted, type Value } from "./decimal.ts";

/** The functions and constants of `calculate`. A function answers a value, or says in words why there is none. */

export type Outcome = Value | string;

export interface MathFunction {
  readonly least: number;
  readonly most: number;
  run(first: Value, inputs: readonly Value[]): Outcome;
}

/** Angles beyond this have lost the digits that would tell where on the circle they are. */
const ANGLE_EXPONENT = 30;
/** e^x leaves the range of values beyond this. */
const EXP_MAX = Math.ceil(LIMITS.expressionExponent * Math.LN10);

function one(run: (first: Value) => Outcome): MathFunction {
  return { least: 1, most: 1, run };
}

function rounded(number: Decimal): Value {
  return kept(number, false);
}

function squareRoot({ number, exact }: Value): Outcome {
  if (number.isNegative() && !number.isZero()) return "a negative number has no real square root.";
  const root = Rounded.sqrt(number);
  return { number: root, exact: exact && Exact.mul(root, root).eq(number) };
}

function logarithm({ number, exact }: Value, log: (x: Decimal) => Decimal, base: number | null): Outcome {
  if (number.lte(0)) return "only positive numbers have a logarithm.";
  const result = log(number);
  const isWhole = base !== null && result.isInteger() && Exact.pow(base, result).eq(number);
  return kept(result, exact && isWhole);
}

function exponential({ number }: Value): Outcome {
  if (number.abs().gt(EXP_MAX)) return "the result is out of range.";
  return rounded(Rounded.exp(number));
}

/** pi is kept in so many digits, so its sine is not quite 0: what lies below the noise of the angle is 0. */
function circular({ number, exact }: Value, run: (x: Decimal) => Decimal): Outcome {
  if (number.e > ANGLE_EXPONENT) return `an angle is at most 1e${ANGLE_EXPONENT} radians.`;
  const result = run(number);
  const noise = new Exact(10).pow(Math.max(number.e, 0) + 5 - LIMITS.expressionDigits);
  return rounded(!exact && result.abs().lt(noise) ? new Exact(0) : result);
}

function tangent(angle: Value): Outcome {
  const sine = circular(angle, (x) => Rounded.sin(x));
  const cosine = circular(angle, (x) => Rounded.cos(x));
  if (typeof sine === "string") return sine;
  if (typeof cosine === "string") return cosine;
  return cosine.number.isZero() ? "the tangent has no value there." : rounded(Rounded.div(sine.number, cosine.number));
}

/** Halves go away from zero, as taught in school. Negative `places` round to tens, hundreds, ... */
function round(value: Value, places: Value | undefined): Outcome {
  const digits = places?.number ?? new Exact(0);
  if (!digits.isInteger() || digits.abs().gt(LIMITS.expressionExponent)) {
    return `the second input of round is a whole number up to ${LIMITS.expressionExponent}.`;
  }
  const shift = new Exact(10).pow(digits.abs());
  const number = trusted(value);
  if (!digits.isNegative()) return { number: number.toDecimalPlaces(digits.toNumber()), exact: value.exact };
  const tens = Exact.div(number, shift).toDecimalPlaces(0);
  return { number: Exact.mul(tens, shift), exact: value.exact };
}

function extreme(inputs: readonly Value[], isBetter: (a: Decimal, b: Decimal) => boolean): Outcome {
  return inputs.reduce((best, next) => (isBetter(trusted(next), trusted(best)) ? next : best));
}

export const FUNCTIONS: ReadonlyMap<string, MathFunction> = new Map<string, MathFunction>([
  ["sqrt", one(squareRoot)],
  ["abs", one(({ number, exact }) => ({ number: number.abs(), exact }))],
  ["floor", one((value) => ({ number: trusted(value).floor(), exact: value.exact }))],
  ["ceil", one((value) => ({ number: trusted(value).ceil(), exact: value.exact }))],
  ["round", { least: 1, most: 2, run: (first, [, places]) => round(first, places) }],
  ["min", { least: 1, most: Infinity, run: (_, inputs) => extreme(inputs, (a, b) => a.lt(b)) }],
  ["max", { least: 1, most: Infinity, run: (_, inputs) => extreme(inputs, (a, b) => a.gt(b)) }],
  ["ln", one((value) => logarithm(value, (x) => Rounded.ln(x), null))],
  ["log10", one((value) => logarithm(value, (x) => Rounded.log10(x), 10))],
  ["exp", one(exponential)],
  ["sin", one((value) => circular(value, (x) => Rounded.sin(x)))],
  ["cos", one((value) => circular(value, (x) => Rounded.cos(x)))],
  ["tan", one(tangent)],
]);

export const CONSTANTS: ReadonlyMap<string, () => Value> = new Map([
  ["pi", () => rounded(Rounded.acos(-1))],
  ["e", () => rounded(Rounded.exp(1))],
]);
