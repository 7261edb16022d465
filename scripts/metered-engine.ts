import { readFileSync, writeFileSync } from "node:fs";
import { ENGINE_SOURCE, ENGINE_TARGET } from "./build/engine-files.ts";
import { meteredWasm } from "./build/metered-wasm.ts";

/** Makes the sandbox's engine anew, after an update of the package that it comes from. A test says when it is old. */
writeFileSync(ENGINE_TARGET, meteredWasm(readFileSync(ENGINE_SOURCE)));
