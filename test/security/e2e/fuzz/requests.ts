import fc, { type Arbitrary } from "fast-check";
import { type OpenApiDocument, type Operation, operationsOf, type Parameter } from "./document.ts";
import { nastyText, Values } from "./values.ts";

/** Requests by an OpenAPI document, each from a seed: the same seed and document give the same ones. */

export interface FuzzedRequest {
  method: string;
  path: string;
  query: string;
  headers: Record<string, string>;
  body: string | Uint8Array<ArrayBuffer> | null;
  /** Values for the placeholders of `path`; null = the name of something that is there. */
  names: Record<string, string | null>;
}

/** Waits of the routes that wait: their bound is somebody else's story. */
const WAITS: Record<string, unknown> = { timeout: 0, wait: 0 };

/** Of parameters: clients and servers refuse longer heads of requests by themselves. */
const LONGEST_TEXT = 2_000;

const BROKEN_BODIES = [
  "",
  "{",
  "[1,",
  '{"a":1}}',
  "\ufeff{}",
  "nul",
  "[".repeat(5_000),
  '{"name":1e999}',
  '{"name":"a","name":"b","__proto__":{"role":"admin"}}',
  new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
];

const TYPES = ["text/plain", "application/xml", "application/json; charset=utf-7", "multipart/form-data", ""];

export class Requests {
  readonly #operations: Operation[];
  readonly #values: Values;

  constructor(document: OpenApiDocument) {
    this.#operations = operationsOf(document);
    this.#values = new Values(document.components.schemas);
  }

  /** At least `count`, evenly over all operations, in an order that mixes them. */
  sample(count: number, seed: number): FuzzedRequest[] {
    const each = Math.ceil(count / this.#operations.length);
    const rows = this.#operations.map((operation, i) =>
      fc.sample(this.#requests(operation), { numRuns: each, seed: seed + i }),
    );
    return Array.from({ length: each }, (_, i) => rows.flatMap((row) => row.slice(i, i + 1))).flat();
  }

  #requests(operation: Operation): Arbitrary<FuzzedRequest> {
    const parameters = operation.parameters ?? [];
    const of = (place: Parameter["in"]) => parameters.filter((parameter) => parameter.in === place);
    return fc
      .record({
        names: this.#names(of("path")),
        query: this.#texts(of("query")),
        headers: this.#texts(of("header")),
        sent: this.#body(operation),
      })
      .map(({ names, query, headers, sent }) => ({
        method: operation.method,
        path: operation.path,
        query: new URLSearchParams(query).toString(),
        headers: {
          ...Object.fromEntries(headers.map(([name, text]) => [name, headerText(text)])),
          ...sent.headers,
        },
        body: sent.body,
        names,
      }));
  }

  #names(parameters: readonly Parameter[]): Arbitrary<Record<string, string | null>> {
    const one = fc.oneof(
      { weight: 8, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: nastyText().filter((text) => text !== "" && text.length < 1_000) },
    );
    return fc.record(Object.fromEntries(parameters.map(({ name }) => [name, one])));
  }

  /** Each may be left out. */
  #texts(parameters: readonly Parameter[]): Arbitrary<[string, string][]> {
    const fields = parameters.map(({ name, schema = {} }) => {
      const value = name in WAITS ? fc.constant(WAITS[name]) : this.#values.fuzzed(schema);
      return fc.option(value).map((one): [string, string][] => (one === null ? [] : [[name, textOf(one)]]));
    });
    return fc.tuple(...fields).map((all) => all.flat());
  }

  #body({ requestBody }: Operation): Arbitrary<Pick<FuzzedRequest, "headers" | "body">> {
    const offered = Object.entries(requestBody?.content ?? {});
    if (offered.length === 0) return fc.constant({ headers: {}, body: null });
    const shaped = offered.map(([type, { schema = {} }]) =>
      this.#values
        .fuzzed(schema)
        .map((value) => ({ headers: { "Content-Type": type }, body: JSON.stringify(impatient(value)) })),
    );
    const type = offered[0]?.[0] ?? "";
    return fc.oneof(
      { weight: 12, arbitrary: fc.oneof(...shaped) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(...BROKEN_BODIES).map((body) => ({ headers: { "Content-Type": type }, body })),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom(...TYPES).map((wrong) => ({ headers: { "Content-Type": wrong }, body: "{}" })),
      },
    );
  }
}

function impatient(value: unknown): unknown {
  const waits = typeof value === "object" && value !== null && "wait" in value && typeof value.wait === "number";
  return waits ? { ...value, wait: 0 } : value;
}

function textOf(value: unknown): string {
  return (typeof value === "string" ? value : JSON.stringify(value)).slice(0, LONGEST_TEXT);
}

/** What a client can put into a header. */
function headerText(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?").trim();
}
