import type { SandboxEnd } from "../../kernel/security/sandbox/sandbox.ts";

/** Programs that try to get out of the sandbox, or to use it up. Each is the body of an async function, as `code_run` takes it. */

export interface Escape {
  name: string;
  code: string;
  /** How it has to end, where one limit alone is meant to end it: what ends it in another way had no limit there. */
  ends?: SandboxEnd | "returned";
  /** Whether the network is lent: through the egress guard. */
  network?: boolean;
}

/** Looks for what only the host has, from whatever global object it is handed. */
const LOOK = (global: string) =>
  `(g => [typeof g.hostCanary, typeof g.process, typeof g.caches, typeof g.WebSocketPair, typeof g.__read].join())(${global})`;

const CONSTRUCTORS: Escape[] = [
  ["the Function constructor", `return ${LOOK('Function("return this")()')};`],
  ["indirect eval", `return ${LOOK('(0, eval)("this")')};`],
  ["the constructor of console.log", `return ${LOOK('console.log.constructor("return this")()')};`],
  ["the constructor of files.read", `return ${LOOK('files.read.constructor("return globalThis")()')};`],
  ["the constructor chain of input", `return ${LOOK('input.constructor.constructor("return this")()')};`],
  [
    "the generator constructor",
    `return ${LOOK('Object.getPrototypeOf(function* () {}).constructor("yield this")().next().value ?? globalThis')};`,
  ],
  [
    "the async constructor",
    `return ${LOOK('await Object.getPrototypeOf(async () => {}).constructor("return globalThis")()')};`,
  ],
  [
    "the constructor of what the host answers",
    `return ${LOOK('(await files.list("/workspace")).constructor.constructor("return this")()')};`,
  ],
  [
    "the constructor of an error of the host",
    `return ${LOOK('(await files.read("/none").catch((e) => e)).constructor.constructor("return this")()')};`,
  ],
  ["arguments.callee.caller", "return (function () { return String(arguments.callee.caller); })();"],
  ["the frames of Error.prepareStackTrace", "Error.prepareStackTrace = (_, f) => f; return typeof new Error().stack;"],
  ["Error.captureStackTrace", "const o = {}; Error.captureStackTrace?.(o); return String(o.stack);"],
].map(([name = "", code = ""]) => ({ name, code }));

const MODULES: Escape[] = [
  "node:fs",
  "node:process",
  "cloudflare:workers",
  "cloudflare:sockets",
  "quickjs:std",
  "./engine.js",
].map((module) => ({
  name: `import of ${module}`,
  code: `return await import("${module}").then((m) => Object.keys(m), () => "none");`,
}));

const LIES: Escape[] = [
  ["Object.prototype polluted", "Object.prototype.polluted = 1; Object.prototype.ok = true; return {};"],
  [
    "__proto__ in the result",
    'return JSON.parse(\'{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}\');',
  ],
  ["Array.prototype polluted", "Array.prototype.polluted = 1; Array.prototype.map = () => []; return [1];"],
  [
    "Promise.prototype.then replaced",
    'Promise.prototype.then = function () { return this; }; return await files.list("/workspace");',
  ],
  ["JSON replaced", 'JSON.stringify = () => "{"; JSON.parse = () => ({ ok: true }); return 1;'],
  ["JSON that is none", 'JSON.stringify = () => "not json"; return 1;'],
  ["a result that is no text", "JSON.stringify = () => ({ toString: () => '1' }); return 1;"],
  ["toJSON that throws", "return { toJSON() { throw new Error('no'); } };"],
  ["toJSON without end", "return { toJSON() { for (;;); } };"],
  ["toJSON that gives more each time", "return { toJSON() { return [this, this]; } };"],
  [
    "the list of writes forged",
    'Map.prototype[Symbol.iterator] = function* () { yield ["/workspace/../../etc/x", {}]; }; return 1;',
  ],
  [
    "a path with a lying toString",
    'let n = 0; return await files.read({ toString: () => (n++ ? "/etc/passwd" : "/workspace/a.txt") }).catch(String);',
  ],
  ["a proxy as a path", "return await files.read(new Proxy({}, { get: () => () => ({}) })).catch(String);"],
  ["a getter as content", 'await files.write("/workspace/g", { get toString() { for (;;); } }); return 1;'],
  ["a symbol as a path", "return await files.read(Symbol('x')).catch(String);"],
  ["a thrown proxy", "throw new Proxy({}, { get() { for (;;); }, getPrototypeOf() { for (;;); } });"],
  ["a thrown error with a getter", "throw Object.defineProperty(new Error(), 'message', { get() { for (;;); } });"],
  ["a thrown error of megabytes", 'throw new Error("e".repeat(4e6));'],
  ["a thrown promise", "throw new Promise(() => {});"],
  ["a thenable that never settles", "return { then() {} };"],
  ["a thenable that answers for ever", "const t = { then(f) { f(t); } }; return t;"],
  ["a closing brace in the code", "}); globalThis.hostCanary = 'reached'; (async () => { return 2;"],
  [
    "Symbol.species",
    "class A extends Array { static get [Symbol.species]() { return Function; } } return new A(1, 2).map((x) => x).constructor.name;",
  ],
  ["a host function as a constructor", "return new files.read('/workspace/a.txt') instanceof Promise;"],
  ["a host function with another this", "return await files.read.call(globalThis, '/workspace/a.txt');"],
].map(([name = "", code = ""]) => ({ name, code }));

type Tried = readonly [name: string, ends: NonNullable<Escape["ends"]>, code: string];

function ended(tried: readonly Tried[]): Escape[] {
  return tried.map(([name, ends, code]) => ({ name, ends, code }));
}

const COMPUTING: Escape[] = ended([
  ["a loop", "gas", "for (;;);"],
  ["a labelled loop in a finally", "gas", "a: for (;;) { try { continue a; } finally { continue a; } }"],
  ["a loop that catches the interrupt", "gas", "for (;;) { try { for (;;); } catch {} }"],
  ["a loop in a generator", "gas", "function* g() { for (;;) yield; } for (const _ of g()); return 1;"],
  ["an async generator", "gas", "async function* g() { for (;;) yield 1; } for await (const _ of g()); return 1;"],
  ["awaits without end", "gas", "for (;;) await null;"],
  ["microtasks that starve the rest", "memory", "const spin = () => Promise.resolve().then(spin); await spin();"],
  ["a flood of promises", "memory", "for (;;) Promise.resolve().then(() => {});"],
  ["a comparator without end", "gas", "[1, 2, 3].sort(() => { for (;;); });"],
  ["a sort of nothing, four billion long", "gas", "const a = []; a.length = 4e9; a.sort(); return 1;"],
  ["a join of nothing, a billion long", "gas", "return Array.prototype.join.call({ length: 1e12 }, '').length;"],
  ["a search of nothing", "gas", "return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);"],
  ["a reversal of nothing", "gas", "return Reflect.apply(Array.prototype.reverse, { length: 2 ** 40 }, []);"],
  ["a quadratic search", "gas", 'return "a".repeat(1e6).indexOf("a".repeat(5e5) + "b");'],
  ["a regular expression that backtracks", "gas", 'return /^(a+)+$/.test("a".repeat(40) + "b");'],
  ["another, by lookahead", "gas", 'return /(?=(a*)*b)c/.test("a".repeat(60));'],
  ["big numbers", "gas", "let x = 3n; for (;;) x = x * x % (2n ** 30000n + 1n);"],
  ["exponential recursion", "gas", "const f = (n) => (n < 2 ? n : f(n - 1) + f(n - 2)); return f(90);"],
  ["recursion without end", "stack", "const f = () => f() + 1; return f();"],
  [
    "recursion that is caught",
    "returned",
    "let n = 0; const f = () => { n++; f(); }; try { f(); } catch { return n; }",
  ],
  ["recursion through a getter", "stack", "const o = { get a() { return this.a; } }; return o.a;"],
  ["recursion through JSON", "stack", "let o = {}; for (let i = 0; i < 1e5; i++) o = { o }; return o;"],
  ["recursion through a proxy", "stack", "const p = new Proxy({}, {}); Object.setPrototypeOf(p, p); return p.x;"],
  ["Atomics.wait", "error", "return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);"],
  ["timers", "returned", "return [typeof setTimeout, typeof setInterval, typeof setImmediate];"],
  ["WebAssembly", "returned", "return typeof WebAssembly;"],
  ["a wait for what never comes", "wall", "await new Promise(() => {}); return 1;"],
]);

const FILLING: Escape[] = ended([
  ["strings in small pieces", "memory", 'const a = []; for (;;) a.push("x".repeat(1e5) + a.length);'],
  ["a string that doubles", "error", 'let s = "x"; for (;;) s += s;'],
  ["an array that doubles", "memory", "let a = [1]; for (;;) a = a.concat(a);"],
  ["a large typed array", "memory", "return new Uint8Array(2e9).length;"],
  ["many typed arrays", "memory", "const a = []; for (;;) a.push(new Uint8Array(1e5));"],
  ["a sparse array filled", "memory", "return new Array(2 ** 32 - 1).fill(0).length;"],
  ["many closures", "memory", "const a = []; for (;;) a.push(() => a);"],
  ["a growing Map", "memory", "const m = new Map(); for (let i = 0; ; i++) m.set(i, {});"],
  ["many symbols", "memory", "const a = []; for (;;) a.push(Symbol(String(a.length)));"],
  ["a large result", "output", 'return "x".repeat(1e6);'],
  ["a result of many nulls", "output", "return new Array(3e5).fill(null);"],
  ["a result nested without bottom", "stack", 'return JSON.parse("[".repeat(2e4) + "]".repeat(2e4));'],
  ["a flood of output", "gas", 'for (;;) console.log("x");'],
  ["a line of megabytes", "returned", 'console.log("x".repeat(8e6)); return 1;'],
  ["a flood of writes", "gas", 'for (let i = 0; ; i++) await files.write("/workspace/" + i, "x");'],
  [
    "more files than are taken",
    "output",
    'for (let i = 0; i < 101; i++) await files.write("/workspace/" + i, "x"); return 1;',
  ],
  [
    "many reads at once",
    "returned",
    'const all = Array.from({ length: 50 }, () => files.read("/workspace/a.txt").catch(() => {})); await Promise.all(all); return 1;',
  ],
  ["a flood of reads", "gas", 'for (;;) files.read("/workspace/a.txt");'],
  ["a flood of awaited reads", "gas", 'for (;;) await files.read("/workspace/a.txt").catch(() => {});'],
]);

const PATHS: Escape[] = [
  "/etc/passwd",
  "/workspace/../../etc/passwd",
  "../../secret",
  "/workspace\\..\\..\\secret",
  "/proc/self/environ",
  "/workspace/%2e%2e/%2e%2e/secret",
  "/shared/../workspace/../secret",
].map((path) => ({
  name: `the path ${path}`,
  code: `const path = ${JSON.stringify(path)}; const got = await files.read(path).catch((e) => e.code); await files.write(path, "escaped"); return got;`,
}));

/** Nothing forbids it to a program with a network, as often as any program may ask. */
export const OPEN_URL = "https://open.example.com/";

const NETWORK: Escape[] = [
  { name: "fetch that was not lent", code: "return await fetch('https://example.org/').catch(String);" },
  ...[
    "http://127.0.0.1/",
    "https://[::1]/",
    "https://169.254.169.254/latest/meta-data",
    "https://localhost/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://[::ffff:10.0.0.1]/",
    "file:///etc/passwd",
  ].map((url) => ({
    name: `fetch of ${url}`,
    code: `return await fetch("${url}").then((r) => r.status, (e) => e.code);`,
    network: true,
  })),
  {
    name: "a flood of requests to a host that answers",
    code: `let answered = 0; for (let i = 0; i < 100; i++) await fetch("${OPEN_URL}").then(() => answered++, () => {}); return answered;`,
    network: true,
    ends: "returned",
  },
  {
    name: "a request larger than a program's output",
    code: `return await fetch("${OPEN_URL}", { method: "POST", body: "x".repeat(1e5) }).then((r) => r.status, (e) => e.code);`,
    network: true,
    ends: "returned",
  },
  {
    name: "a flood of requests",
    code: 'const all = []; for (let i = 0; i < 500; i++) all.push(fetch("https://10.0.0." + i + "/").catch(String)); return (await Promise.all(all)).length;',
    network: true,
  },
];

export const ESCAPES: readonly Escape[] = [
  ...CONSTRUCTORS,
  ...MODULES,
  ...LIES,
  ...COMPUTING,
  ...FILLING,
  ...PATHS,
  ...NETWORK,
];
