import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../../kernel/limits.ts";
import { calculate } from "../../../../kernel/tools/builtin/calculator/calculate.ts";
import { SeededRandom } from "../../../support/ports.ts";

function result(expression: string): string {
  const computed = calculate(expression);
  return computed.ok ? computed.value.result : `${computed.error.code}: ${computed.error.message}`;
}

function exact(expression: string): boolean | null {
  const computed = calculate(expression);
  return computed.ok ? computed.value.exact : null;
}

describe("calculate is exact where people expect it", () => {
  test.each([
    ["0.1 + 0.2", "0.3"],
    ["0.1 * 3", "0.3"],
    ["1.1 ^ 10", "2.5937424601"],
    ["4.35 * 100", "435"],
    ["1.005 * 1000", "1005"],
    ["2 ^ 100", "1267650600228229401496703205376"],
    ["99999999999999999999 * 99999999999999999999", "9999999999999999999800000000000000000001"],
    ["9007199254740993 - 1", "9007199254740992"],
    ["1 / 8", "0.125"],
    ["10 ^ -3", "0.001"],
    ["1.5e3 + 2E-2", "1500.02"],
    ["1e999 * 1e-999", "1"],
    [".5 + 1.", "1.5"],
    ["sqrt(152.2756)", "12.34"],
    ["log10(1000)", "3"],
    ["-0", "0"],
  ])("%s = %s", (expression, answer) => {
    expect(result(expression)).toBe(answer);
    expect(exact(expression)).toBe(true);
  });

  test.each([
    ["10 / 3", "3.333333333333333333333333333"],
    ["1 / 3 * 3", "1"],
    ["sqrt(2) ^ 2", "2"],
    ["floor(1 / 3 * 3)", "1"],
    ["1 / 3 * 3 % 1", "0"],
    ["2 ^ 0.5", "1.414213562373095048801688724"],
    ["pi", "3.141592653589793238462643383"],
    ["e", "2.718281828459045235360287471"],
    ["exp(1) - e", "0"],
    ["ln(e ^ 3)", "3"],
    ["sin(pi)", "0"],
    ["cos(pi)", "-1"],
    ["sin(pi / 6)", "0.5"],
    ["tan(pi / 4)", "1"],
    ["tan(1)", "1.557407724654902230506974807"],
    ["1 / 3e40", "3.333333333333333333333333333e-41"],
    ["(2 / 3) ^ 500", "9.002652196173951199081311239e-89"],
  ])("%s = %s, and says that it is rounded", (expression, answer) => {
    expect(result(expression)).toBe(answer);
    expect(exact(expression)).toBe(false);
  });

  test("agrees with whole numbers of any size on a thousand random expressions", () => {
    const random = new SeededRandom(3);
    const number = () => random.bytes(9).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n) - 2n ** 71n;
    for (let i = 0; i < 1_000; i++) {
      const [a, b, c] = [number(), number(), number()];
      expect(result(`(${a} + ${b}) * ${c} - ${b}`)).toBe(String((a + b) * c - b));
    }
  });
});

describe("calculate reads what people write", () => {
  test.each([
    ["2 + 3 * 4", "14"],
    ["(2 + 3) * 4", "20"],
    ["10 - 4 - 3", "3"],
    ["100 / 10 / 5", "2"],
    ["2 ^ 3 ^ 2", "512"],
    ["-2 ^ 2", "-4"],
    ["(-2) ^ 2", "4"],
    ["2 ^ -1", "0.5"],
    ["2 * -3", "-6"],
    ["2 - -3", "5"],
    ["--2", "2"],
    ["+2", "2"],
    ["2 ** 10", "1024"],
    ["17% of 340", "57.8"],
    ["340 * 17%", "57.8"],
    ["100 * (1 + 5%)", "105"],
    ["1 - 20%", "0.8"],
    ["5% + 3%", "0.08"],
    ["-50%", "-0.5"],
    ["10 % 3", "1"],
    ["10 mod 3", "1"],
    ["-7 % 3", "2"],
    ["7.5 % 2", "1.5"],
    ["10 % (1 + 2)", "1"],
    ["20 % sqrt(9)", "2"],
    ["round(2.5)", "3"],
    ["round(-2.5)", "-3"],
    ["round(1.005, 2)", "1.01"],
    ["round(1250, -2)", "1300"],
    ["floor(-1.5) + ceil(-1.5) + abs(-3)", "0"],
    ["min(3, 1, 2) + max(3, 1, 2)", "4"],
    ["0 ^ 0", "1"],
    ["SQRT(16) + Pi - PI", "4"],
    ["（１＋２）×３÷４−０．２５", "2"],
    ["ｍａｘ（１，２）　＋　５０％", "refused"],
    ["2·3 – 1", "5"],
    ["2 × π − π × 2", "0"],
  ])("%s = %s", (expression, answer) => {
    if (answer === "refused") expect(result(expression)).toContain("in two ways");
    else expect(result(expression)).toBe(answer);
  });
});

describe("calculate says what is wrong, and where", () => {
  test.each([
    ["", "The expression is empty"],
    ["   ", "The expression is empty"],
    ["2 +", "At character 4 .* a number is missing before the end"],
    ["* 2", "At character 1 .* a number is missing before \\*"],
    ["(1 + 2", "At character 1 .* never closed"],
    ["sqrt(2", "At character 5 .* never closed"],
    ["1 + 2)", "At character 6 .* closes nothing"],
    ["()", "At character 2 .* a number is missing before \\)"],
    ["min()", "At character 5 "],
    ["2 pi", "At character 3 .* an operator is missing before pi"],
    ["2(3)", "At character 2 .* an operator is missing before \\("],
    ["1,000 + 1", "At character 3 .* Write 1000, not 1,000"],
    ["1,234", "At character 2 .* Write 1000, not 1,000"],
    ["max(1,000)", "At character 7 .* Write 1000"],
    ["1.2.3", "At character 4 "],
    ["007", "At character 1 .* starts with 0"],
    ["1 + 😀", 'At character 5 .*"😀" is not understood'],
    ["😀 + #", 'At character 1 .*"😀" is not understood'],
    ["x + 1", "At character 1 .* x is unknown. There are sqrt"],
    ["constructor(1)", "At character 1 .* constructor is unknown"],
    ["log(3)", "At character 1 .* ln .* log10"],
    ["sqrt", "At character 1 .* sqrt is a function"],
    ["pi(2)", "At character 1 .* pi is unknown|pi"],
    ["sqrt(1, 2)", "At character 1 .* sqrt takes 1 input, not 2"],
    ["round(1, 2, 3)", "round takes 1 or 2 inputs, not 3"],
    ["1 / 0", "At character 3 .* division by zero"],
    ["0 ^ -1", "division by zero"],
    ["5 % 0", "division by zero"],
    ["sqrt(-1)", "At character 1 .* no real square root"],
    ["ln(0)", "only positive numbers"],
    ["(-8) ^ (1 / 3)", "no real power"],
    ["tan(pi / 2)", "no value"],
    ["200 + 10%", "At character 5 .* in two ways. Write 200 \\* \\(1 \\+ 10%\\), or 200 \\+ 0.1"],
    ["200 - 10%", "Write 200 \\* \\(1 - 10%\\)"],
    ["9 ^ 9 ^ 9", "out of range"],
    ["exp(1e9)", "out of range"],
    ["1e600 * 1e600", "beyond 1e1000"],
    ["1e-600 * 1e-600", "below 1e-1000"],
    ["1e1001", "beyond"],
    ["1e999999999999", "exponent .* too large"],
    ["1e-99999999999999999", "exponent .* too large"],
    ["sin(1e31)", "angle"],
    ["round(1, 0.5)", "whole number"],
    ["process.exit()", "At character 8 "],
  ])("%s", (expression, message) => {
    expect(result(expression)).toMatch(new RegExp(`^invalid_input: .*(${message})`));
  });

  test("nesting and length have an end", () => {
    const nested = (levels: number) => "(".repeat(levels) + 1 + ")".repeat(levels);
    expect(result(nested(LIMITS.expressionDepth))).toBe("1");
    for (const deep of [nested(LIMITS.expressionDepth + 1), `${"-".repeat(900)}1`, `${"2^".repeat(400)}1`]) {
      expect(result(deep)).toMatch(/nested deeper than/);
    }
    expect(result(`1${"+1".repeat(499)}`)).toBe("500");
    expect(result("1".repeat(LIMITS.expressionChars + 1))).toMatch(/is over/);
  });

  test("the dearest expressions end in a second", () => {
    for (const term of ["3.3^.7", "ln(7.123456)", "tan(9e29)", "exp(999.5)", "1.000001^300", "pi^e"]) {
      const terms = Array<string>(Math.floor(LIMITS.expressionChars / (term.length + 1))).fill(term);
      const before = performance.now();
      expect(calculate(terms.join("+")).ok).toBe(true);
      expect(performance.now() - before).toBeLessThan(1_000);
    }
  });

  test("any text is answered, never thrown at", () => {
    const pieces = [
      "1",
      "0.5",
      "e",
      "pi",
      "+",
      "-",
      "*",
      "/",
      "^",
      "%",
      "(",
      ")",
      ",",
      "sqrt(",
      "round(",
      "1e300",
      "of",
      "9",
      "ln(",
      "tan(",
    ];
    const random = new SeededRandom(11);
    let answered = 0;
    for (let i = 0; i < 5_000; i++) {
      const [length = 0, ...picks] = random.bytes(9);
      const text = picks
        .slice(0, 1 + (length % 8))
        .map((pick) => pieces[pick % pieces.length])
        .join("");
      if (calculate(text).ok) answered++;
    }
    expect(answered).toBeGreaterThan(200);
  });
});
