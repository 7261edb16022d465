import release from "@jitl/quickjs-wasmfile-release-sync";
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from "quickjs-emscripten-core";
import wasmModule from "../../node_modules/@jitl/quickjs-wasmfile-release-sync/dist/emscripten-module.wasm";

/**
 * A QuickJS of its own for one program: a fresh instance over its own memory. QuickJS's limit refuses only single allocations
 * and its heap never shrinks, so the memory itself has a maximum, and is thrown away after the run.
 */

const PAGE_BYTES = 64 * 1024;
/** What the engine needs to begin with. */
const INITIAL_PAGES = 256;
/** The heap grows in steps, so the last one that fits ends below the maximum. */
const FULL = 0.9;

// Under `nodenext` the types of the package's CommonJS build are seen; the bundlers take its ES module.
const variant = release as unknown as QuickJSSyncVariant;

export interface Engine {
  quickJs: QuickJSWASMModule;
  /** Whether the memory has grown to its end. An engine in which nothing fits any more cannot even say so. */
  isFull(): boolean;
}

export async function newEngine(memoryBytes: number): Promise<Engine> {
  const maximum = Math.max(INITIAL_PAGES, Math.floor(memoryBytes / PAGE_BYTES));
  const wasmMemory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum });
  const quickJs = await newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmModule, wasmMemory }));
  return { quickJs, isFull: () => wasmMemory.buffer.byteLength >= FULL * maximum * PAGE_BYTES };
}
