import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");

/** QuickJS as npm brings it, and as the sandbox runs it. */
export const ENGINE_SOURCE = join(ROOT, "node_modules/@jitl/quickjs-wasmfile-release-sync/dist/emscripten-module.wasm");
export const ENGINE_TARGET = join(ROOT, "workers/sandbox/quickjs-metered.wasm");
