import { err, ok, type Result } from "../../../errors.ts";
import { divide, Exact, format, isFarOut, kept, power, rangeFault, trusted, type Value } from "./decimal.ts";
import { CONSTANTS, FUNCTIONS, type MathFunction, type Outcome } from "./functions.ts";
import { type Expression, type Operator, parseExpression } from "./parser.ts";
import { fault, tokensOf } from "./token.ts";

/**
 * Arithmetic as people expect it: in decimals, so 0.1 + 0.2 is 0.3, and 2^100 has all its digits. Every failure says where.
 * What people read in two ways (200 + 10%) is refused with the two ways to write it.
 */

/** The result in digits, and whether it is the exact one or was rounded. */
export function calculate(expression: string): Result<{ result: string; exact: boolean }> {
  const tokens = tokensOf(expression);
  if (!tokens.ok) return tokens;
  if (tokens.value.length === 1) return err("invalid_input", "The expression is empty.");
  const parsed = parseExpression(tokens.value);
  if (!parsed.ok) return parsed;
  const value = evaluate(parsed.value);
  return value.ok ? ok({ result: format(value.value), exact: value.value.exact }) : value;
}

function evaluate(expression: Expression): Result<Value> {
  switch (expression.type) {
    case "number":
      return checked(expression.at, kept(new Exact(expression.text), true));
    case "constant":
      return constant(expression.at, expression.name);
    case "negative":
      return map(expression.of, expression.at, ({ number, exact }) => ({ number: number.neg(), exact }));
    case "percent":
      return map(expression.of, expression.at, ({ number, exact }) => kept(Exact.mul(number, "0.01"), exact));
    case "call":
      return call(expression.at, expression.name, expression.inputs);
    case "operation":
      return operation(expression);
  }
}

function map(of: Expression, at: number, change: (value: Value) => Value): Result<Value> {
  const value = evaluate(of);
  return value.ok ? checked(at, change(value.value)) : value;
}

function constant(at: number, name: string): Result<Value> {
  const value = CONSTANTS.get(name);
  if (value !== undefined) return ok(value());
  if (FUNCTIONS.has(name)) return fault(at, `${name} is a function: write ${name}(2).`);
  return fault(at, unknown(name));
}

function call(at: number, name: string, inputs: readonly Expression[]): Result<Value> {
  const known = FUNCTIONS.get(name);
  if (known === undefined) return fault(at, unknown(name));
  if (inputs.length < known.least || inputs.length > known.most) {
    return fault(at, `${name} takes ${takes(known)}, not ${inputs.length}.`);
  }
  const values: Value[] = [];
  for (const input of inputs) {
    const value = evaluate(input);
    if (!value.ok) return value;
    values.push(value.value);
  }
  const [first] = values;
  return first === undefined ? fault(at, `${name} has no input.`) : checked(at, known.run(first, values));
}

function operation({ at, operator, left, right }: Extract<Expression, { type: "operation" }>): Result<Value> {
  const a = evaluate(left);
  if (!a.ok) return a;
  const b = evaluate(right);
  if (!b.ok) return b;
  const isOffset = (operator === "+" || operator === "-") && right.type === "percent" && left.type !== "percent";
  // 1 + 10% is 1.1 in both readings.
  if (isOffset && !a.value.number.eq(1)) return fault(at, ambiguous(operator));
  return checked(at, operate(operator, a.value, b.value));
}

function operate(operator: Operator, a: Value, b: Value): Outcome {
  const exact = a.exact && b.exact;
  switch (operator) {
    case "+":
      return kept(Exact.add(a.number, b.number), exact);
    case "-":
      return kept(Exact.sub(a.number, b.number), exact);
    case "*":
      return kept(Exact.mul(a.number, b.number), exact);
    case "/":
      return quotient(a, b);
    case "%":
      return b.number.isZero()
        ? "the remainder of a division by zero has no value."
        : kept(Exact.mod(trusted(a), trusted(b)), exact);
    case "^":
      return raised(a, b);
  }
}

function quotient(a: Value, b: Value): Outcome {
  if (b.number.isZero()) return "division by zero.";
  const { number, exact } = divide(a.number, b.number);
  return kept(number, exact && a.exact && b.exact);
}

function raised(a: Value, b: Value): Outcome {
  if (a.number.isZero() && b.number.isNegative() && !b.number.isZero()) return "division by zero.";
  if (a.number.isNegative() && !b.number.isInteger()) return "a negative number has no real power that is not whole.";
  if (!a.number.isZero() && isFarOut(a.number, b.number)) return "the result of the power is out of range.";
  const { number, exact } = power(a.number, b.number);
  return kept(number, exact && a.exact && b.exact);
}

function checked(at: number, outcome: Outcome): Result<Value> {
  if (typeof outcome === "string") return fault(at, outcome);
  const wrong = rangeFault(outcome.number);
  return wrong === null ? ok(outcome) : fault(at, wrong);
}

function takes({ least, most }: MathFunction): string {
  if (most === least) return `${least} input`;
  return most === Infinity ? `${least} input or more` : `${least} or ${most} inputs`;
}

function ambiguous(operator: string): string {
  const change = operator === "+" ? "1 + 10%" : "1 - 10%";
  return `people read 200 ${operator} 10% in two ways. Write 200 * (${change}), or 200 ${operator} 0.1.`;
}

function unknown(name: string): string {
  if (name === "log") return "write ln for the natural logarithm or log10 for the decimal one.";
  return `${name} is unknown. There are ${[...FUNCTIONS.keys(), ...CONSTANTS.keys()].join(", ")}.`;
}
