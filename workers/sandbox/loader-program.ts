import type { SandboxProgram } from "../../kernel/security/sandbox/sandbox.ts";
import { PRELUDE } from "./prelude.ts";

/**
 * The Worker that the loader makes of a program. Its main module runs before the program is looked at, keeps what it needs of
 * the language to itself, and lends the same four functions as QuickJS has. A program may still get at whatever is in its own
 * isolate: what holds is that nothing of ours is in there but a stub of the bounded host.
 */

/** Before the dates that put Node's modules and globals into every Worker: the program has no use for them. */
const COMPATIBILITY_DATE = "2025-01-01";
const ERROR_CHARS = 2_000;

const MAIN = `
import { WorkerEntrypoint } from "cloudflare:workers";
const { stringify, parse } = JSON;
const { String, Error, RangeError } = globalThis;
const cut = Function.prototype.call.bind(String.prototype.slice);
const has = Function.prototype.call.bind(String.prototype.includes);
const write = TextEncoder.prototype.encode.bind(new TextEncoder());

function printer(maxBytes) {
  let text = "", bytes = 0, dropped = 0;
  return {
    print: (line) => {
      const size = line.length > maxBytes ? maxBytes + 1 : write(line).length + 1;
      if (bytes + size > maxBytes) { dropped++; return; }
      bytes += size;
      text += line + "\\n";
    },
    get text() { return dropped === 0 ? text : text + "... " + dropped + " more lines were not kept\\n"; },
  };
}

// \`toString\` of what is thrown besides errors is not called.
function described(error) {
  if (error instanceof Error) return String(error.stack ?? error.message);
  return typeof error === "object" || typeof error === "function" ? "Thrown: an object" : "Thrown: " + String(error);
}

function failure(error) {
  const text = cut(described(error), 0, ${ERROR_CHARS});
  const isRange = error instanceof RangeError;
  if (isRange && has(text, "call stack size")) return { ok: false, end: "stack", message: text };
  if (isRange && has(text, "allocation")) return { ok: false, end: "memory", message: text };
  return { ok: false, end: "error", message: text };
}

export default class extends WorkerEntrypoint {
  async run(input, host, { outputBytes, network }) {
    const printed = printer(outputBytes);
    globalThis.__print = printed.print;
    globalThis.__input = input;
    globalThis.__read = (path) => host.readFile(path).then(stringify);
    globalThis.__list = (prefix) => host.listFiles(prefix).then(stringify);
    globalThis.fetch = undefined;
    if (network) globalThis.__fetch = (request) => host.fetch(parse(request)).then(stringify);
    const written = ${PRELUDE};
    try {
      const { default: program } = await import("program.js");
      const value = stringify(await program()) ?? "null";
      return value.length > outputBytes
        ? { ok: false, end: "output", message: "the result has " + value.length + " characters; at most " + outputBytes + " bytes are taken", printed: printed.text }
        : { ok: true, value, written: written(), printed: printed.text };
    } catch (error) {
      return { ...failure(error), printed: printed.text };
    }
  }
}
`;

/** Network off, no bindings. `limits` holds on the platform; workerd by itself enforces none. */
export function workerOf({ code }: SandboxProgram, cpuMs: number): WorkerLoaderWorkerCode {
  return {
    compatibilityDate: COMPATIBILITY_DATE,
    mainModule: "main.js",
    modules: { "main.js": MAIN, "program.js": { cjs: `module.exports = async function () {\n${code}\n};` } },
    env: {},
    globalOutbound: null,
    limits: { cpuMs, subRequests: 0 },
  };
}
