import fc, { type Arbitrary } from "fast-check";
import type { Schema } from "./document.ts";

/** Values by a JSON Schema: such as it admits, and such as somebody sends who means harm or cannot read. */

/** Longer ones say nothing new, and twenty thousand of them take long. */
const LONGEST = 64;
const MOST_ITEMS = 3;
const DEEPEST = 6;

const NASTY_TEXTS = [
  "",
  " ",
  "\u0000",
  "../../etc/passwd",
  "%2e%2e%2f",
  "' OR 1=1 --",
  '"; DROP TABLE agents; --',
  "<script>alert(1)</script>",
  "{{7*7}}",
  "\ud800",
  "\u202e\u200b\ufeff",
  "x".repeat(70_000),
  "9".repeat(400),
  "__proto__",
  "constructor",
  "null",
  "NaN",
  "-1",
  "1e309",
  "0x10",
  "2026-02-30T25:61:61Z",
];

const NASTY_NUMBERS = [-1, -0, 0.5, 1e21, -1e308, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER + 1];

export class Values {
  readonly #schemas: Record<string, Schema>;

  constructor(schemas: Record<string, Schema>) {
    this.#schemas = schemas;
  }

  /** Mostly what the schema admits, with something wrong in about every second value. */
  fuzzed(schema: Schema): Arbitrary<unknown> {
    return fc.oneof(
      { weight: 4, arbitrary: this.valid(schema) },
      { weight: 3, arbitrary: this.#spoilt(schema) },
      { weight: 1, arbitrary: nasty() },
    );
  }

  valid(schema: Schema, depth = 0): Arbitrary<unknown> {
    const { $ref, enum: choices, anyOf, oneOf, type } = this.#resolved(schema);
    if ($ref !== undefined || depth > DEEPEST) return fc.constant(null);
    if (choices !== undefined) return fc.constantFrom(...choices);
    const branches = anyOf ?? oneOf;
    if (branches !== undefined) return fc.oneof(...branches.map((branch) => this.valid(branch, depth + 1)));
    const types = Array.isArray(type) ? type : [type];
    return fc.oneof(...types.map((one) => this.#ofType(one, this.#resolved(schema), depth)));
  }

  #ofType(type: string | undefined, schema: Schema, depth: number): Arbitrary<unknown> {
    const { minimum = -1_000, maximum = 1_000_000 } = schema;
    switch (type) {
      case "string":
        return texts(schema);
      case "integer":
        return fc.integer({ min: Math.max(minimum, -(2 ** 31)), max: Math.min(maximum, 2 ** 31 - 1) });
      case "number":
        return fc.double({ min: minimum, max: maximum, noNaN: true });
      case "boolean":
        return fc.boolean();
      case "null":
        return fc.constant(null);
      case "array":
        return this.#list(schema, depth);
      case "object":
        return this.#object(schema, depth);
      default:
        return fc.jsonValue({ maxDepth: 2 });
    }
  }

  #list({ items = {}, minItems = 0, maxItems = MOST_ITEMS }: Schema, depth: number): Arbitrary<unknown> {
    const length = { minLength: minItems, maxLength: Math.max(minItems, Math.min(maxItems, MOST_ITEMS)) };
    return fc.array(this.valid(items, depth + 1), length);
  }

  #object({ properties = {}, required = [] }: Schema, depth: number): Arbitrary<Record<string, unknown>> {
    const fields = Object.entries(properties).map(([name, schema]) => [name, this.valid(schema, depth + 1)] as const);
    return fc.record(Object.fromEntries(fields), { requiredKeys: required });
  }

  /** One field is missing, wrong, or not known. */
  #spoilt(schema: Schema): Arbitrary<unknown> {
    const { properties } = this.#resolved(schema);
    if (properties === undefined) return nasty();
    const names = Object.keys(properties);
    const strange = fc.constantFrom("unknown", "__proto__", "constructor", "id", "tenant", "");
    return fc
      .tuple(this.valid(schema), fc.oneof(fc.constantFrom(...names, "unknown"), strange), fc.option(nasty()))
      .map(([value, name, wrong]) => spoil(value as Record<string, unknown>, name, wrong));
  }

  #resolved(schema: Schema): Schema {
    const name = schema.$ref?.split("/").at(-1);
    return name === undefined ? schema : (this.#schemas[name] ?? {});
  }
}

/** Null stands for leaving the field out. */
function spoil(value: Record<string, unknown>, name: string, wrong: unknown): Record<string, unknown> {
  const others = Object.entries(value).filter(([key]) => key !== name);
  return Object.fromEntries(wrong === null ? others : [...others, [name, wrong]]);
}

function texts({ minLength = 0, maxLength = LONGEST, format }: Schema): Arbitrary<string> {
  if (format === "date-time") {
    return fc
      .date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true })
      .map((at) => at.toISOString());
  }
  const length = { minLength, maxLength: Math.max(minLength, Math.min(maxLength, LONGEST)) };
  return fc.oneof(fc.string(length), fc.string({ ...length, unit: "grapheme" }));
}

function nasty(): Arbitrary<unknown> {
  return fc.oneof(
    nastyText(),
    fc.constantFrom(...NASTY_NUMBERS),
    fc.constantFrom(null, true, [], {}, [[]], nested(200)),
    fc.jsonValue({ maxDepth: 3 }),
  );
}

export function nastyText(): Arbitrary<string> {
  return fc.oneof(fc.constantFrom(...NASTY_TEXTS), fc.string({ unit: "binary", maxLength: LONGEST }));
}

function nested(depth: number): unknown {
  let value: unknown = 0;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}
