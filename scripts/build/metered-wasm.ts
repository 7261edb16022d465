import { skipImmediates, WasmBytes, writeUnsigned } from "./wasm-bytes.ts";

/**
 * Meters a WebAssembly module: every function and every turn of every loop takes from a global, and a module that has used it
 * up traps. QuickJS looks up from its work only between the program's own instructions: one call of a built-in
 * (`"a".repeat(1e6).indexOf(...)`, `Array.prototype.join.call({ length: 1e9 })`) can go on for hours without a look.
 *
 * The global is exported and mutable. It begins full, for the module's own start; whoever instantiates it then says how much there is.
 */

export const FUEL = "fuel";

const SECTION = { import: 2, global: 6, export: 7, code: 10 } as const;
const GLOBAL_KIND = 3;
const HEADER_BYTES = 8;
const LOOP = 0x03;
const END = 0x0b;
/** A function costs more than a turn of a loop: it is longer. */
const COST = { call: 2, turn: 1 } as const;
/** An `i32`, mutable, that begins at the largest. */
const FULL_GLOBAL = [0x7f, 0x01, 0x41, 0xff, 0xff, 0xff, 0xff, 0x07, END];

type Section = { id: number; body: Uint8Array };

export function meteredWasm(module: Uint8Array): Uint8Array {
  const sections = sectionsOf(module);
  const fuel = importedGlobals(sections) + countOf(sections, SECTION.global);
  const rewritten = sections.map(({ id, body }) => {
    if (id === SECTION.global) return { id, body: withItem(body, FULL_GLOBAL) };
    if (id === SECTION.export)
      return { id, body: withItem(body, [...name(FUEL), GLOBAL_KIND, ...writeUnsigned(fuel)]) };
    if (id === SECTION.code) return { id, body: meteredCode(body, fuel) };
    return { id, body };
  });
  const header = [...module.subarray(0, HEADER_BYTES)];
  return joined([header, ...rewritten.flatMap(({ id, body }) => [[id, ...writeUnsigned(body.length)], body])]);
}

function sectionsOf(module: Uint8Array): Section[] {
  const bytes = new WasmBytes(module, HEADER_BYTES);
  const sections: Section[] = [];
  while (!bytes.ended) {
    const id = bytes.byte();
    sections.push({ id, body: bytes.take(bytes.unsigned()) });
  }
  return sections;
}

function bodyOf(sections: readonly Section[], id: number): Uint8Array {
  const section = sections.find((one) => one.id === id);
  if (section === undefined) throw new Error(`the module has no section ${id}`);
  return section.body;
}

function countOf(sections: readonly Section[], id: number): number {
  return new WasmBytes(bodyOf(sections, id)).unsigned();
}

function importedGlobals(sections: readonly Section[]): number {
  const bytes = new WasmBytes(bodyOf(sections, SECTION.import));
  let globals = 0;
  for (let left = bytes.unsigned(); left > 0; left--) {
    bytes.take(bytes.unsigned());
    bytes.take(bytes.unsigned());
    if (skipImport(bytes) === GLOBAL_KIND) globals++;
  }
  return globals;
}

/** Answers the kind of what is imported: function, table, memory or global. */
function skipImport(bytes: WasmBytes): number {
  const kind = bytes.byte();
  if (kind === 0) bytes.unsigned();
  else if (kind === GLOBAL_KIND) bytes.take(2);
  else {
    if (kind === 1) bytes.byte();
    const hasMaximum = (bytes.byte() & 1) === 1;
    bytes.unsigned();
    if (hasMaximum) bytes.unsigned();
  }
  return kind;
}

function meteredCode(body: Uint8Array, fuel: number): Uint8Array {
  const bytes = new WasmBytes(body);
  const count = bytes.unsigned();
  const functions = Array.from({ length: count }, () => {
    const metered = meteredFunction(bytes.take(bytes.unsigned()), fuel);
    return joined([writeUnsigned(metered.length), metered]);
  });
  return joined([writeUnsigned(count), ...functions]);
}

function meteredFunction(body: Uint8Array, fuel: number): Uint8Array {
  const bytes = new WasmBytes(body);
  for (let groups = bytes.unsigned(); groups > 0; groups--) {
    bytes.unsigned();
    bytes.byte();
  }
  const parts: ArrayLike<number>[] = [body.subarray(0, bytes.at), charge(fuel, COST.call)];
  let copied = bytes.at;
  while (!bytes.ended) {
    const opcode = bytes.byte();
    skipImmediates(bytes, opcode);
    if (opcode !== LOOP) continue;
    parts.push(body.subarray(copied, bytes.at), charge(fuel, COST.turn));
    copied = bytes.at;
  }
  return joined([...parts, body.subarray(copied)]);
}

/** `fuel -= cost; if (fuel < 0) unreachable;` */
function charge(fuel: number, cost: number): number[] {
  const index = writeUnsigned(fuel);
  const take = [0x23, ...index, 0x41, cost, 0x6b, 0x24, ...index];
  return [...take, 0x23, ...index, 0x41, 0x00, 0x48, 0x04, 0x40, 0x00, END];
}

/** A section's vector with one more item at its end. */
function withItem(body: Uint8Array, item: readonly number[]): Uint8Array {
  const bytes = new WasmBytes(body);
  const count = bytes.unsigned();
  return joined([writeUnsigned(count + 1), body.subarray(bytes.at), item]);
}

function name(text: string): number[] {
  return [...writeUnsigned(text.length), ...new TextEncoder().encode(text)];
}

function joined(parts: readonly ArrayLike<number>[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
