/** Finds the arithmetic expression that a sentence asks for, in English and Chinese; null when it asks for something else. */

/** Words of operators and their signs, longest first. */
const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/(\d),(?=\d{3}(?!\d))/g, "$1"],
  [/（/g, "("],
  [/）/g, ")"],
  [/[×✕]/g, "*"],
  [/÷/g, "/"],
  [/[−–]/g, "-"],
  [/([\d.]+)\s*的\s*([\d.]+)\s*[%％]/g, "($1 * $2 / 100)"],
  [/([\d.]+)\s*(?:%|％|percent)\s*(?:of|的)?\s*([\d.]+)/gi, "($1 / 100 * $2)"],
  [/百分之([\d.]+)/g, "($1 / 100)"],
  [/\bto the power of\b|的?次方|\*\*/gi, "^"],
  [/\b(?:the )?square root of\s*([\d.]+)/gi, "sqrt($1)"],
  [/([\d.]+)\s*的平方根/g, "sqrt($1)"],
  [/\bmultiplied by\b|\btimes\b|乘以|乘/gi, "*"],
  [/\bdivided by\b|除以/gi, "/"],
  [/\bplus\b|加上|加/gi, "+"],
  [/\bminus\b|减去|减/gi, "-"],
  [/(\d)\s*x\s*(?=\d)/gi, "$1*"],
];

/** What may stand around the expression without changing what is asked. */
const FILLER =
  /\b(?:what(?:'s| is| does)|how much is|calculate|compute|evaluate|work out|please|the|sum|result|value|answer|of|equals?|equal to|is|tell me|for me|can you|could you)\b|等于多少|等于几|是多少|得多少|等于|多少|结果|计算|算一下|算算|算|请问|请|帮我|一下|的值|的|[?？。.!！=＝:：,，`"“”]/gi;

const EXPRESSION = /^(?=.*\d)(?=.*(?:[-+*/^%]|sqrt\())(?:sqrt|[\d\s.()+\-*/^%])+$/;
const DATE = /^\d{4}-\d{1,2}(?:-\d{1,2})?$/;

export function arithmeticIn(text: string): string | null {
  if (text.length > 500) return null;
  const signed = SIGNS.reduce((line, [pattern, sign]) => line.replace(pattern, sign), text);
  const rest = signed
    .replace(/(\d)\.(?=\d)/g, "$1\u0000")
    .replace(FILLER, " ")
    .replaceAll("\u0000", ".")
    .trim();
  if (!EXPRESSION.test(rest) || DATE.test(rest) || !isBalanced(rest)) return null;
  return rest.replace(/\s+/g, " ").replace(/^\(([^()]*)\)$/, "$1");
}

function isBalanced(expression: string): boolean {
  let depth = 0;
  for (const char of expression) {
    depth += char === "(" ? 1 : char === ")" ? -1 : 0;
    if (depth < 0) return false;
  }
  return depth === 0;
}
