import type { Result } from "../../errors.ts";

/**
 * A place where code that a model wrote may run: no host object but what is lent, and bounds that hold whatever the code does.
 * Drivers: QuickJS in WebAssembly (`workers/sandbox/quickjs-run.ts`), everywhere; the Worker Loader (`loader-run.ts`), where its
 * limits hold.
 */

export interface SandboxLimits {
  /** Of 100,000 turns of loops and calls inside the engine each: the measure of CPU, because clocks stand still in production. */
  gas: number;
  /** All memory of the engine, its own included. */
  memoryBytes: number;
  stackBytes: number;
  /** UTF-8 of the result and of what is printed, each. */
  outputBytes: number;
  /** From start to end, waiting for host calls included. */
  wallMs: number;
  /** Times that the program may ask its host for anything, `console` aside. */
  hostCalls: number;
  /** Files written, and all that is in them. */
  writes: number;
  writeBytes: number;
}

export interface SandboxProgram {
  /** The body of an async function: `return` gives the result. It sees `input`, `console`, `files` and, where lent, `fetch`. */
  code: string;
  /** JSON text of the value that the program sees as `input`. */
  input: string;
  limits: SandboxLimits;
  /** Whether `fetch` is lent. */
  network: boolean;
}

/** Why a program did not return. */
export const SANDBOX_ENDS = ["error", "gas", "memory", "stack", "output", "wall"] as const;
export type SandboxEnd = (typeof SANDBOX_ENDS)[number];

export type SandboxOutcome = { gas: number; printed: string; writes: SandboxWrite[] } & (
  | { ok: true /** JSON text; `null` for undefined. */; value: string }
  | { ok: false; end: SandboxEnd; message: string }
);

/** What the program wrote; it counts only when its caller commits it. */
export interface SandboxWrite {
  path: string;
  content: string;
}

/** What a program's host lends it. Every answer is checked by the host; the sandbox checks nothing. */
export interface SandboxHost {
  readFile(path: string): Promise<Result<string>>;
  listFiles(prefix: string): Promise<Result<string[]>>;
  fetch(request: SandboxRequest): Promise<Result<SandboxResponse>>;
}

export interface SandboxRequest {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string | null;
}

export interface SandboxResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export interface Sandbox {
  /** Never throws for what a program can do. A program that ended early leaves no writes to commit. */
  run(program: SandboxProgram, host: SandboxHost): Promise<SandboxOutcome>;
}
