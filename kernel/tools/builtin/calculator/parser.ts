import { ok, type Result } from "../../../errors.ts";
import { LIMITS } from "../../../limits.ts";
import { fault, type Token } from "./token.ts";

/**
 * Arithmetic by precedence climbing (Pratt). From loose to tight: `+ -`, then `* / % of mod`, the minus sign, `^` (from
 * the right), percent. So -2^2 is -4 and 2^-1 is 0.5. A `%` before an operand is the remainder, else it is percent.
 */

export type Operator = "+" | "-" | "*" | "/" | "%" | "^";

export type Expression =
  | { type: "number"; at: number; text: string }
  | { type: "constant"; at: number; name: string }
  | { type: "negative"; at: number; of: Expression }
  | { type: "percent"; at: number; of: Expression }
  | { type: "operation"; at: number; operator: Operator; left: Expression; right: Expression }
  | { type: "call"; at: number; name: string; inputs: Expression[] };

const PERCENT_POWER = 50;
const NEGATIVE_POWER = 30;

/** How tightly an operator holds its left and its right operand. */
const INFIX: ReadonlyMap<string, { operator: Operator; left: number; right: number }> = new Map([
  ["+", { operator: "+", left: 10, right: 11 }],
  ["-", { operator: "-", left: 10, right: 11 }],
  ["*", { operator: "*", left: 20, right: 21 }],
  ["of", { operator: "*", left: 20, right: 21 }],
  ["/", { operator: "/", left: 20, right: 21 }],
  ["%", { operator: "%", left: 20, right: 21 }],
  ["mod", { operator: "%", left: 20, right: 21 }],
  ["^", { operator: "^", left: 41, right: 40 }],
]);

export function parseExpression(tokens: readonly Token[]): Result<Expression> {
  return new Parser(tokens).whole();
}

class Parser {
  readonly #tokens: readonly Token[];
  #place = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Result<Expression> {
    const expression = this.#expression(0, 0);
    if (!expression.ok) return expression;
    const rest = this.#peek();
    if (rest.type === "end") return expression;
    return fault(rest.at, unexpected(rest));
  }

  /** An operand and every operator after it that holds at least as tightly as `power`. */
  #expression(power: number, depth: number): Result<Expression> {
    if (depth > LIMITS.expressionDepth) {
      return fault(this.#peek().at, `the expression is nested deeper than ${LIMITS.expressionDepth} levels.`);
    }
    const first = this.#operand(depth);
    if (!first.ok) return first;
    let left = first.value;
    for (;;) {
      const { text, at } = this.#peek();
      if (this.#isPercent()) {
        if (PERCENT_POWER < power) return ok(left);
        this.#next();
        left = { type: "percent", at, of: left };
        continue;
      }
      const infix = INFIX.get(text);
      if (infix === undefined || infix.left < power) return ok(left);
      this.#next();
      const right = this.#expression(infix.right, depth + 1);
      if (!right.ok) return right;
      left = { type: "operation", at, operator: infix.operator, left, right: right.value };
    }
  }

  #operand(depth: number): Result<Expression> {
    const token = this.#next();
    const { type, text, at } = token;
    if (type === "number") return ok({ type: "number", at, text });
    if (type === "name" && !INFIX.has(text)) return this.#named(token, depth);
    if (text === "(") return this.#group(at, depth);
    if (text === "+") return this.#expression(NEGATIVE_POWER, depth + 1);
    if (text !== "-") return fault(at, `a number is missing before ${text}.`);
    const of = this.#expression(NEGATIVE_POWER, depth + 1);
    return of.ok ? ok({ type: "negative", at, of: of.value }) : of;
  }

  #group(openedAt: number, depth: number): Result<Expression> {
    const inner = this.#expression(0, depth + 1);
    if (!inner.ok) return inner;
    const closing = this.#next();
    if (closing.text === ")") return inner;
    if (closing.type === "end") return fault(openedAt, "this ( is never closed.");
    return fault(closing.at, unexpected(closing));
  }

  #named({ text: name, at }: Token, depth: number): Result<Expression> {
    if (this.#peek().text !== "(") return ok({ type: "constant", at, name });
    const opened = this.#next();
    const inputs: Expression[] = [];
    for (;;) {
      const input = this.#expression(0, depth + 1);
      if (!input.ok) return input;
      inputs.push(input.value);
      const next = this.#next();
      if (next.text === ")") return ok({ type: "call", at, name, inputs });
      if (next.type === "end") return fault(opened.at, "this ( is never closed.");
      if (next.text !== ",") return fault(next.at, unexpected(next));
    }
  }

  #isPercent(): boolean {
    if (this.#peek().text !== "%") return false;
    const after = this.#tokens[this.#place + 1];
    const opensOperand = after?.type === "number" || after?.text === "(" || after?.type === "name";
    return !opensOperand || INFIX.has(after.text);
  }

  #peek(): Token {
    return this.#tokens[this.#place] ?? { type: "end", text: "the end", at: 1 };
  }

  /** The end is never passed. */
  #next(): Token {
    const token = this.#peek();
    if (token.type !== "end") this.#place++;
    return token;
  }
}

function unexpected(token: Token): string {
  if (token.text === ",") return "a comma only separates the inputs of a function. Write 1000, not 1,000.";
  if (token.text === ")") return "this ) closes nothing.";
  return `an operator is missing before ${token.text}. Write 2 * pi, not 2 pi.`;
}
