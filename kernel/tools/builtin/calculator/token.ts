import { err, ok, type Result } from "../../../errors.ts";
import { LIMITS } from "../../../limits.ts";

/** An arithmetic expression as tokens. Typographic and full-width signs, as people and Chinese keyboards type them, are taken. */

export interface Token {
  type: "number" | "name" | "sign" | "end";
  /** In ASCII and lower case; `**` stands as `^`. */
  text: string;
  /** Place in the expression, counted in characters from 1. */
  at: number;
}

/** A refusal that says where. */
export function fault(at: number, message: string): Result<never> {
  return err("invalid_input", `At character ${at} of the expression: ${message}`);
}

const SIGNS: Readonly<Record<string, string>> = {
  "×": "*",
  "·": "*",
  "⋅": "*",
  "∗": "*",
  "÷": "/",
  "∕": "/",
  "−": "-",
  "–": "-",
  "、": ",",
  "\u3000": " ",
};

/** One unit for one character, so that places in the text stay those of the expression. */
function canonical(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code > 0xffff) return "\uFFFD";
  if (code >= 0xff01 && code <= 0xff5e) return String.fromCharCode(code - 0xfee0).toLowerCase();
  return SIGNS[char] ?? (code < 0x80 ? char.toLowerCase() : char);
}

const TOKEN = /(?<number>(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|(?<name>[a-z][a-z0-9]*|π)|(?<sign>\*\*|[-+*/%^(),])/y;

function numberFault(at: number, text: string): Result<never> | null {
  if (/^0\d/.test(text)) return fault(at, `${text} starts with 0. Write 1000, not 1,000.`);
  if (/e[+-]?\d{6}/.test(text)) return fault(at, `the exponent of ${text} is too large.`);
  return null;
}

/** All tokens of `expression`, the last one of type `end`. */
export function tokensOf(expression: string): Result<Token[]> {
  if (expression.length > LIMITS.expressionChars) {
    return err("invalid_input", `The expression is over ${LIMITS.expressionChars} characters.`);
  }
  const chars = [...expression];
  const text = chars.map(canonical).join("");
  const tokens: Token[] = [];
  let place = 0;
  while (place < text.length) {
    if (/\s/.test(text.charAt(place))) {
      place++;
      continue;
    }
    TOKEN.lastIndex = place;
    const match = TOKEN.exec(text);
    if (match === null) return fault(place + 1, `${JSON.stringify(chars[place])} is not understood.`);
    const token = tokenOf(match, place + 1);
    const wrong = token.type === "number" ? numberFault(token.at, token.text) : null;
    if (wrong !== null) return wrong;
    tokens.push(token);
    place += match[0].length;
  }
  return ok([...tokens, { type: "end", text: "the end", at: text.length + 1 }]);
}

function tokenOf(match: RegExpExecArray, at: number): Token {
  const { number, name } = match.groups ?? {};
  if (number !== undefined) return { type: "number", text: number, at };
  if (name !== undefined) return { type: "name", text: name === "π" ? "pi" : name, at };
  return { type: "sign", text: match[0] === "**" ? "^" : match[0], at };
}
