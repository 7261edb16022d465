import release from "@jitl/quickjs-wasmfile-release-sync";
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from "quickjs-emscripten-core";
import meteredModule from "./quickjs-metered.wasm";

/**
 * A QuickJS of its own for one program: a fresh instance over its own memory. QuickJS's limit refuses only single allocations
 * and its heap never shrinks, so the memory itself has a maximum, and is thrown away after the run.
 *
 * Its gas is fuel that every function and every turn of a loop inside the engine takes from (scripts/build/metered-wasm.ts): no
 * built-in can work on without end, and what a program costs is the same on every machine.
 */

const PAGE_BYTES = 64 * 1024;
/** What the engine needs to begin with. */
const INITIAL_PAGES = 256;
/** The heap grows in steps, so the last one that fits ends below the maximum. */
const FULL = 0.9;
/** Calls and turns of loops in one gas. */
const FUEL_PER_GAS = 100_000;
/** Where the engine is stopped between two instructions of the program; at 0 it breaks in the middle of one. */
const RESERVE = 5 * FUEL_PER_GAS;

// Under `nodenext` the types of the package's CommonJS build are seen; the bundlers take its ES module.
const variant = release as unknown as QuickJSSyncVariant;

export interface EngineBounds {
  memoryBytes: number;
  gas: number;
}

export class Engine {
  readonly quickJs: QuickJSWASMModule;
  readonly #memory: WebAssembly.Memory;
  readonly #maxBytes: number;
  readonly #fuel: WebAssembly.Global;
  readonly #filled: number;

  private constructor(quickJs: QuickJSWASMModule, { memory, maxBytes, fuel, gas }: Parts) {
    this.quickJs = quickJs;
    this.#memory = memory;
    this.#maxBytes = maxBytes;
    this.#fuel = fuel;
    this.#filled = gas * FUEL_PER_GAS + RESERVE;
    fuel.value = this.#filled;
  }

  static async start({ memoryBytes, gas }: EngineBounds): Promise<Engine> {
    const maximum = Math.max(INITIAL_PAGES, Math.floor(memoryBytes / PAGE_BYTES));
    const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum });
    const instance = Promise.withResolvers<WebAssembly.Instance>();
    const instantiateWasm = (imports: WebAssembly.Imports, onSuccess: (made: WebAssembly.Instance) => void) => {
      const made = new WebAssembly.Instance(meteredModule, imports);
      instance.resolve(made);
      onSuccess(made);
      return made.exports;
    };
    const own = newVariant(variant, { wasmMemory: memory, emscriptenModule: { instantiateWasm } });
    const quickJs = await newQuickJSWASMModuleFromVariant(own);
    const fuel = (await instance.promise).exports["fuel"] as WebAssembly.Global;
    return new Engine(quickJs, { memory, maxBytes: maximum * PAGE_BYTES, fuel, gas });
  }

  /** Whether the memory has grown to its end. An engine in which nothing fits any more cannot even say so. */
  get isFull(): boolean {
    return this.#memory.buffer.byteLength >= FULL * this.#maxBytes;
  }

  /** Whether it has to stop. */
  get isSpent(): boolean {
    return this.#fuel.value <= RESERVE;
  }

  get gas(): number {
    return Math.ceil(Math.min(this.#filled - this.#fuel.value, this.#filled - RESERVE) / FUEL_PER_GAS);
  }

  /** Takes for what the host does at the program's word. */
  spend(fuel: number): void {
    this.#fuel.value = Math.max(0, this.#fuel.value - fuel);
  }
}

interface Parts {
  memory: WebAssembly.Memory;
  maxBytes: number;
  fuel: WebAssembly.Global;
  gas: number;
}
