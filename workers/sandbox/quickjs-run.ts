import type { QuickJSContext, QuickJSHandle, QuickJSRuntime } from "quickjs-emscripten-core";
import { withinMs } from "../../kernel/deadline.ts";
import type { SandboxEnd, SandboxHost, SandboxOutcome, SandboxProgram } from "../../kernel/security/sandbox/sandbox.ts";
import { BoundedHost } from "./bounded-host.ts";
import { Engine } from "./engine.ts";
import { type Lent, lend } from "./host-functions.ts";
import { PRELUDE, programOf } from "./prelude.ts";
import { Printed } from "./printed.ts";
import { returned } from "./returned.ts";

/**
 * One run of a program in QuickJS. The engine looks up from its work at every so many instructions, and is stopped there when
 * the gas is spent; inside one long instruction it breaks. Between its jobs it waits for the host, at most until the wall time is
 * over, and not at all when nothing of the host is under way.
 */
export async function runInQuickJs(program: SandboxProgram, host: SandboxHost): Promise<SandboxOutcome> {
  const engine = await Engine.start(program.limits);
  const run = new QuickJsRun(engine, program, new BoundedHost(host, program));
  // Nothing is disposed of: the whole instance and its memory go at once, also after it broke.
  return run.outcome();
}

/** Jobs between two looks at the gas: a program of nothing but promises is never interrupted inside. */
const JOBS = 100;
const ERROR_CHARS = 2_000;
/** Fuel for one word with the host, which is not metered itself, and for each character of it. */
const WORD_FUEL = 5_000;

class QuickJsRun {
  readonly #engine: Engine;
  readonly #runtime: QuickJSRuntime;
  readonly #vm: QuickJSContext;
  readonly #program: SandboxProgram;
  readonly #printed: Printed;
  readonly #host: SandboxHost;
  readonly #until: number;
  #isOver = false;
  /** What broke the engine while it was handed an answer. */
  #broken: unknown;
  /** Host calls under way. */
  #asked = 0;
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
    return this.#engine.isSpent || Date.now() > this.#until;
  }

  async outcome(): Promise<SandboxOutcome> {
    try {
      return await this.#run();
    } catch (cause) {
      // The engine itself broke: its gas ran out in the middle of an instruction, the stack below it in a function that does not
      // look, or its memory where it could not say so.
      if (this.#engine.isSpent) return this.#spent();
      return this.#ended(/call stack size/.test(String(cause)) ? "stack" : "memory", String(cause));
    } finally {
      this.#isOver = true;
    }
  }

  #lent(): Lent {
    return {
      host: this.#host,
      network: this.#program.network,
      isOver: () => this.#isOver,
      printed: (line) => {
        this.#engine.spend(WORD_FUEL + line.length);
        this.#printed.line(line);
      },
      asked: (text) => {
        this.#engine.spend(WORD_FUEL + text.length);
        this.#asked++;
      },
      answered: (text, put) => this.#take(text, put),
    };
  }

  /** An engine that breaks over an answer is found broken when it is next asked to work. */
  #take(text: string, put: () => void): void {
    this.#engine.spend(text.length);
    this.#asked--;
    try {
      put();
    } catch (cause) {
      this.#broken ??= cause;
    }
    this.#answered.resolve();
    this.#answered = Promise.withResolvers();
  }

  async #run(): Promise<SandboxOutcome> {
    const vm = this.#vm;
    lend(vm, this.#lent());
    vm.setProp(vm.global, "__input", vm.newString(this.#program.input));
    const written = vm.unwrapResult(vm.evalCode(PRELUDE, "prelude.js"));
    const begun = vm.evalCode(programOf(this.#program.code), "program.js");
    if (begun.error) return this.#failed(begun.error);
    return this.#settle(begun.value, written);
  }

  async #settle(promise: QuickJSHandle, written: QuickJSHandle): Promise<SandboxOutcome> {
    for (;;) {
      if (this.#broken !== undefined) throw this.#broken;
      const answered = this.#answered.promise;
      const broken = this.#jobs();
      if (broken !== null) return broken;
      const state = this.#vm.getPromiseState(promise);
      if (state.type === "fulfilled") return this.#returned(state.value, written);
      if (state.type === "rejected") return this.#failed(state.error);
      if (this.#asked === 0) return this.#stuck();
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

  /** Nothing can come that would wake it: it waits for what never comes, or a promise was lost for want of memory. */
  #stuck(): SandboxOutcome {
    if (this.#engine.isFull) return this.#ended("memory", "its memory is full");
    return this.#ended("wall", "it waits for what never comes");
  }

  #late(): SandboxOutcome {
    return this.#ended("wall", `it did not end within ${this.#program.limits.wallMs} ms`);
  }

  #spent(): SandboxOutcome {
    return this.#engine.isSpent ? this.#ended("gas", "it computed for too long") : this.#late();
  }

  #returned(value: QuickJSHandle, written: QuickJSHandle): SandboxOutcome {
    const text = this.#vm.getString(value);
    const list = this.#vm.callFunction(written, this.#vm.undefined);
    if (list.error) return this.#failed(list.error);
    const end = returned(text, this.#vm.getString(list.value), this.#program.limits);
    if (!end.ok) return this.#ended(end.end, end.message);
    return { ...end, gas: this.#engine.gas, printed: this.#printed.text };
  }

  /** The engine's own words name what ran out; a program may use the same words, and is told what it said. */
  #failed(error: QuickJSHandle): SandboxOutcome {
    if (this.#isSpent()) return this.#spent();
    const { name, message, stack } = thrown(this.#vm, error);
    if (message === "null" && this.#engine.isFull) return this.#ended("memory", "its memory is full");
    const said = `${name}: ${message}`;
    return this.#ended(endOf(said), stack === "" ? said : `${said}\n${stack}`);
  }

  #ended(end: SandboxEnd, message: string): SandboxOutcome {
    const cut = message.slice(0, ERROR_CHARS);
    return { ok: false, end, message: cut, gas: this.#engine.gas, printed: this.#printed.text, writes: [] };
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
