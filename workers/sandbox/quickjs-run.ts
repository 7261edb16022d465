import type { QuickJSContext, QuickJSHandle, QuickJSRuntime } from "quickjs-emscripten-core";
import { withinMs } from "../../kernel/deadline.ts";
import type { SandboxEnd, SandboxHost, SandboxOutcome, SandboxProgram } from "../../kernel/security/sandbox/sandbox.ts";
import { type Engine, newEngine } from "./engine.ts";
import { lend } from "./host-functions.ts";
import { PRELUDE, programOf } from "./prelude.ts";
import { Printed } from "./printed.ts";

/**
 * One run of a program in QuickJS. The engine looks up from its work at every so many instructions, and is stopped there when
 * the gas is spent; between its jobs it waits for the host, at most until the wall time is over.
 */
export async function runInQuickJs(program: SandboxProgram, host: SandboxHost): Promise<SandboxOutcome> {
  const engine = await newEngine(program.limits.memoryBytes);
  const run = new QuickJsRun(engine, program, host);
  // Nothing is disposed of: the whole instance and its memory go at once, also after it broke.
  return run.outcome();
}

/** Jobs between two looks at the gas: a program of nothing but promises is never interrupted inside. */
const JOBS = 100;
const ERROR_CHARS = 2_000;
const encoder = new TextEncoder();

class QuickJsRun {
  readonly #engine: Engine;
  readonly #runtime: QuickJSRuntime;
  readonly #vm: QuickJSContext;
  readonly #program: SandboxProgram;
  readonly #printed: Printed;
  readonly #host: SandboxHost;
  readonly #until: number;
  #gas = 0;
  /** Resolves when a host call has been answered. */
  #answered = Promise.withResolvers<void>();

  constructor(engine: Engine, program: SandboxProgram, host: SandboxHost) {
    const runtime = engine.quickJs.newRuntime();
    this.#engine = engine;
    this.#runtime = runtime;
    this.#program = program;
    this.#host = host;
    this.#until = Date.now() + program.limits.wallMs;
    this.#printed = new Printed(program.limits.outputBytes);
    runtime.setMaxStackSize(program.limits.stackBytes);
    runtime.setInterruptHandler(() => this.#isSpent());
    this.#vm = runtime.newContext();
  }

  /** Clocks stand still in production while code runs, so the gas decides there; where they move, so does the wall time. */
  #isSpent(): boolean {
    this.#gas++;
    return this.#gas > this.#program.limits.gas || Date.now() > this.#until;
  }

  async outcome(): Promise<SandboxOutcome> {
    try {
      return await this.#run();
    } catch (cause) {
      // The engine itself broke: its memory was full where it could not say so.
      return this.#ended(this.#gas > this.#program.limits.gas ? "gas" : "memory", String(cause));
    }
  }

  async #run(): Promise<SandboxOutcome> {
    const vm = this.#vm;
    lend(vm, { host: this.#host, network: this.#program.network, print: (line) => this.#printed.line(line) }, () => {
      this.#answered.resolve();
      this.#answered = Promise.withResolvers();
    });
    vm.setProp(vm.global, "__input", vm.newString(this.#program.input));
    const written = vm.unwrapResult(vm.evalCode(PRELUDE, "prelude.js"));
    const begun = vm.evalCode(programOf(this.#program.code), "program.js");
    if (begun.error) return this.#failed(begun.error);
    return this.#settle(begun.value, written);
  }

  async #settle(promise: QuickJSHandle, written: QuickJSHandle): Promise<SandboxOutcome> {
    for (;;) {
      const answered = this.#answered.promise;
      const broken = this.#jobs();
      if (broken !== null) return broken;
      const state = this.#vm.getPromiseState(promise);
      if (state.type === "fulfilled") return this.#returned(state.value, written);
      if (state.type === "rejected") return this.#failed(state.error);
      const left = this.#until - Date.now();
      if (left <= 0 || (await withinMs(left, answered)) === null) return this.#late();
    }
  }

  /** Runs what is ready to run, each job at the price of one look; answers how the program ended in it, or null. */
  #jobs(): SandboxOutcome | null {
    while (this.#runtime.hasPendingJob()) {
      if (this.#isSpent()) return this.#spent();
      const jobs = this.#runtime.executePendingJobs(JOBS);
      if (jobs.error) return this.#failed(jobs.error);
    }
    return null;
  }

  #late(): SandboxOutcome {
    return this.#ended("wall", `it did not end within ${this.#program.limits.wallMs} ms`);
  }

  #spent(): SandboxOutcome {
    return this.#gas > this.#program.limits.gas ? this.#ended("gas", "it computed for too long") : this.#late();
  }

  #returned(value: QuickJSHandle, written: QuickJSHandle): SandboxOutcome {
    const text = this.#vm.getString(value);
    const list = this.#vm.callFunction(written, this.#vm.undefined);
    if (list.error) return this.#failed(list.error);
    const writes = (JSON.parse(this.#vm.getString(list.value)) as [string, string][]).map(([path, content]) => ({
      path,
      content,
    }));
    const { outputBytes } = this.#program.limits;
    const size = encoder.encode(text).length;
    if (size > outputBytes)
      return this.#ended("output", `the result has ${size} bytes; at most ${outputBytes} are taken`);
    return { ok: true, value: text, gas: this.#gas, printed: this.#printed.text, writes };
  }

  /** The engine's own words name what ran out; a program may use the same words, and is told what it said. */
  #failed(error: QuickJSHandle): SandboxOutcome {
    if (this.#gas > this.#program.limits.gas || Date.now() > this.#until) return this.#spent();
    const { name, message, stack } = thrown(this.#vm, error);
    if (message === "null" && this.#engine.isFull()) return this.#ended("memory", "its memory is full");
    const said = `${name}: ${message}`;
    return this.#ended(endOf(said), stack === "" ? said : `${said}\n${stack}`);
  }

  #ended(end: SandboxEnd, message: string): SandboxOutcome {
    const cut = message.slice(0, ERROR_CHARS);
    return { ok: false, end, message: cut, gas: this.#gas, printed: this.#printed.text, writes: [] };
  }
}

function endOf(said: string): SandboxEnd {
  if (said.startsWith("InternalError: out of memory")) return "memory";
  if (said.startsWith("InternalError: stack overflow")) return "stack";
  return "error";
}

/** What was thrown, without running any code of the program: getters and `toString` are not called. */
function thrown(vm: QuickJSContext, error: QuickJSHandle): { name: string; message: string; stack: string } {
  const dumped: unknown = vm.dump(error);
  if (typeof dumped !== "object" || dumped === null) return { name: "Thrown", message: String(dumped), stack: "" };
  const { name = "Error", message = "", stack = "" } = dumped as Record<string, unknown>;
  return { name: String(name), message: String(message), stack: String(stack).slice(0, ERROR_CHARS) };
}
