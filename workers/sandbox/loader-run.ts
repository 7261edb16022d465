import * as z from "zod";
import { LentHost } from "../../durable-objects/lent-host.ts";
import { withinMs } from "../../kernel/deadline.ts";
import { LIMITS } from "../../kernel/limits.ts";
import {
  SANDBOX_ENDS,
  type SandboxEnd,
  type SandboxHost,
  type SandboxOutcome,
  type SandboxProgram,
} from "../../kernel/security/sandbox/sandbox.ts";
import { BoundedHost } from "./bounded-host.ts";
import { workerOf } from "./loader-program.ts";
import { returned } from "./returned.ts";

/**
 * One run of a program in an isolate of its own, made by the Worker Loader. What it may compute and allocate is the platform's to
 * bound (`cpuMs`, 128 MB): workerd by itself bounds neither, so this driver is for deployments. See PROMISES in drivers.ts.
 */
export async function runInLoader(
  loader: WorkerLoader,
  program: SandboxProgram,
  host: SandboxHost,
): Promise<SandboxOutcome> {
  const { limits, network } = program;
  const begun = Date.now();
  const cpuMs = Math.ceil(limits.gas * LIMITS.codeMsPerGas);
  const worker = loader.load(workerOf(program, cpuMs)).getEntrypoint() as unknown as LoadedProgram;
  const answer = worker
    .run(program.input, new LentHost(new BoundedHost(host, program)), { outputBytes: limits.outputBytes, network })
    .catch(broken);
  const said = (await withinMs(limits.wallMs, answer)) ?? {
    ok: false,
    end: "wall",
    message: `it did not end within ${limits.wallMs} ms`,
  };
  return outcomeOf(said, program, Date.now() - begun);
}

interface LoadedProgram {
  run(input: string, host: SandboxHost, options: { outputBytes: number; network: boolean }): Promise<unknown>;
}

const saidSchema = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), value: z.string(), written: z.string(), printed: z.string() }),
  z.object({ ok: z.literal(false), end: z.enum(SANDBOX_ENDS), message: z.string(), printed: z.string().default("") }),
]);
const ERROR_CHARS = 2_000;

/**
 * The program shares its isolate with what answers for it, so the answer is looked at like any input. Nobody can say what it
 * computed: the time from start to end stands for it, at most what it may compute.
 */
function outcomeOf(answer: unknown, { limits }: SandboxProgram, elapsedMs: number): SandboxOutcome {
  const gas = Math.min(limits.gas, Math.ceil(elapsedMs / LIMITS.codeMsPerGas));
  const parsed = saidSchema.safeParse(answer);
  if (!parsed.success) return { ok: false, end: "error", message: "its answer is none", gas, printed: "", writes: [] };
  const printed = parsed.data.printed.slice(0, limits.outputBytes + PRINTED_NOTE_CHARS);
  const end = parsed.data.ok ? returned(parsed.data.value, parsed.data.written, limits) : parsed.data;
  if (end.ok) return { ...end, gas, printed };
  return { ok: false, end: end.end, message: end.message.slice(0, ERROR_CHARS), gas, printed, writes: [] };
}

/** Room for the line that says how much was not kept. */
const PRINTED_NOTE_CHARS = 100;

/** In the platform's words: it tells what it stopped in no other way. */
const STOPPED: readonly (readonly [RegExp, SandboxEnd])[] = [
  [/exceeded CPU/i, "gas"],
  [/exceeded .*memory|out of memory/i, "memory"],
  [/never generate a response|had hung/i, "wall"],
];

function broken(cause: unknown): { ok: false; end: SandboxEnd; message: string } {
  const message = cause instanceof Error ? cause.message : String(cause);
  return { ok: false, end: STOPPED.find(([words]) => words.test(message))?.[1] ?? "error", message };
}
