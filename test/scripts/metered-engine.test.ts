import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ENGINE_SOURCE, ENGINE_TARGET } from "../../scripts/build/engine-files.ts";
import { meteredWasm } from "../../scripts/build/metered-wasm.ts";

/** The sandbox's engine is the installed package's, metered: `node scripts/metered-engine.ts` makes it anew. */

test("the checked-in engine is what the script makes of the installed one", () => {
  expect(Buffer.compare(readFileSync(ENGINE_TARGET), meteredWasm(readFileSync(ENGINE_SOURCE)))).toBe(0);
});

/** The types are those of Workers, which compile nothing at run time; this runs in Node. */
const Compiled = WebAssembly.Module as unknown as new (bytes: Uint8Array) => WebAssembly.Module;

/** `loop(n)`: n turns of a loop that does nothing else. */
const LOOP = new Uint8Array([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x05, 0x01, 0x60, 0x01, 0x7f, 0x00],
  ...[0x02, 0x01, 0x00],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x06, 0x01, 0x00],
  ...[0x07, 0x08, 0x01, 0x04, 0x6c, 0x6f, 0x6f, 0x70, 0x00, 0x00],
  ...[0x0a, 0x10, 0x01, 0x0e, 0x00, 0x03, 0x40, 0x20, 0x00, 0x41, 0x01, 0x6b, 0x22, 0x00, 0x0d, 0x00, 0x0b, 0x0b],
]);

test("a metered loop takes fuel for each turn, and traps without", () => {
  const { exports } = new WebAssembly.Instance(new Compiled(meteredWasm(LOOP)));
  const fuel = exports["fuel"] as WebAssembly.Global;
  const loop = exports["loop"] as (turns: number) => void;
  fuel.value = 1_000;
  loop(100);
  expect(fuel.value).toBe(1_000 - 102);
  expect(() => loop(1_000)).toThrow(WebAssembly.RuntimeError);
});
