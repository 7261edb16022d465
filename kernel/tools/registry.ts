import * as z from "zod";
import { err, ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { LABELS } from "../security/label.ts";
import type { Capability } from "../security/levels.ts";
import { type CallContext, type Syscall, syscall, type ToolValue } from "../syscall.ts";
import { SYSCALLS, type SyscallTable, tableOf } from "../syscalls/index.ts";
import { inputSchema } from "./definitions.ts";

/**
 * Tools beside the kernel's own: registered in code, by plugins, by MCP clients. Each becomes one more entry for the same
 * door, so it is parsed, permitted, logged and recovered like any system call.
 *
 * ```ts
 * const registry = new ToolRegistry();
 * registry.tool({
 *   name: "weather", description: "The weather in a city.",
 *   input: z.object({ city: z.string() }),
 *   run: async ({ city }) => ({ city, celsius: 21 }),
 * });
 * ```
 */

/** What a registered tool may know of its call. It gets neither the agent's memory nor its files. */
export type ToolContext = Pick<CallContext, "callId" | "process" | "clock" | "signal">;

export interface ToolSpec<Input extends z.ZodObject = z.ZodObject> {
  /** 1-64 of `a-z`, `0-9`, `_`, starting with a letter; unique among all tools. */
  name: string;
  /** For the model: what it does and when to use it. */
  description: string;
  /** Its JSON Schema is offered to the model; `run` gets what it parsed. */
  input: Input;
  /**
   * Answers a JSON value. An object becomes `{ok: true, ...}`, anything else `{ok: true, value}`. What it throws becomes
   * `tool_failed` with the error's message, so that must hold no secret.
   */
  run(input: z.output<Input>, context: ToolContext): unknown;
  /**
   * What a crash may leave behind. `external` (the default) = an unknown outcome is never re-run; `idempotent` = `run`
   * honours `context.callId` as its key; `pure` = it only reads, and may run beside other reads.
   */
  effect?: "pure" | "idempotent" | "external";
  /**
   * `inside` = what it is given goes nowhere: no request, no queue, nobody reads it. Else it counts as acting outwards with bytes that the
   * model chose, and waits for a person once the process has read what is untrusted and holds what is not public.
   */
  reach?: "inside" | "outside";
  /** Milliseconds until `context.signal` aborts and the call ends as `deadline_exceeded`. 30,000 when absent. */
  timeoutMs?: number;
  /** What the process's level must allow; `tools.granted` when absent. `tools.read-only` opens it to STANDARD. */
  capability?: Capability;
}

const NAME = new RegExp(`^[a-z][a-z0-9_]{0,${LIMITS.toolNameChars - 1}}$`);

export class ToolRegistry {
  readonly #tools = new Map<string, Syscall>();
  readonly #base: SyscallTable;

  /** `base` holds the calls that are always there. */
  constructor(base: SyscallTable = SYSCALLS) {
    this.#base = base;
  }

  /** Adds a tool. A bad one is a mistake in the program that brings it: throws a TypeError that says what to change. */
  tool<Input extends z.ZodObject>(spec: ToolSpec<Input>): this {
    const registered = this.register(spec);
    if (!registered.ok) throw new TypeError(registered.error.message);
    return this;
  }

  /** As `tool`, for what comes from elsewhere at run time: a bad tool is `invalid_input`, a taken name `conflict`. */
  register<Input extends z.ZodObject>(spec: ToolSpec<Input>): Result<Syscall> {
    const refusal = this.#refuse(spec);
    if (refusal !== null) return refusal;
    const entry = entryOf(spec);
    this.#tools.set(spec.name, entry);
    return ok(entry);
  }

  /** Takes back a registered tool; false when there was none. Built-in calls stay. */
  remove(name: string): boolean {
    return this.#tools.delete(name);
  }

  get(name: string): Syscall | undefined {
    return this.#base[name] ?? this.#tools.get(name);
  }

  /** All calls, built in and registered, as one frozen table. */
  table(): SyscallTable {
    return tableOf([...Object.values(this.#base), ...this.#tools.values()]);
  }

  #refuse(spec: ToolSpec): ReturnType<typeof err> | null {
    const { name, description, timeoutMs } = spec;
    if (!NAME.test(name)) {
      return err(
        "invalid_input",
        `${JSON.stringify(name)} is no tool name: 1 to ${LIMITS.toolNameChars} of a-z, 0-9 and _, a letter first.`,
      );
    }
    if (this.get(name) !== undefined) return err("conflict", `There is a tool ${name} already: choose another name.`);
    if (this.#tools.size >= LIMITS.toolsMax)
      return err("conflict", `${LIMITS.toolsMax} tools are registered: no room for ${name}.`);
    if (description.trim() === "") return err("invalid_input", `Tool ${name} has no description: the model needs one.`);
    if (timeoutMs !== undefined && !(Number.isInteger(timeoutMs) && timeoutMs > 0)) {
      return err("invalid_input", `timeoutMs of tool ${name} is a whole number of milliseconds over 0.`);
    }
    return schemaRefusal(spec);
  }
}

function schemaRefusal({ name, input }: ToolSpec): ReturnType<typeof err> | null {
  if (!(input instanceof z.ZodObject))
    return err("invalid_input", `The input of tool ${name} is not a z.object({...}).`);
  try {
    inputSchema(input);
    return null;
  } catch (cause) {
    return err("invalid_input", `The input of tool ${name} has no JSON Schema: ${messageOf(cause)}`);
  }
}

function entryOf<Input extends z.ZodObject>(spec: ToolSpec<Input>): Syscall {
  return syscall({
    name: spec.name,
    description: spec.description,
    input: spec.input,
    capability: spec.capability ?? "tools.granted",
    effect: spec.effect ?? "external",
    timeoutMs: spec.timeoutMs ?? LIMITS.toolMs,
    // Whatever a tool answers is somebody else's text.
    brings: () => LABELS.document,
    outward: () =>
      spec.reach === "inside" ? null : { act: spec.effect === "pure" ? "read" : "write", url: null, isBare: false },
    run: (context, input) => answer(spec, input, context),
  });
}

async function answer<Input extends z.ZodObject>(
  spec: ToolSpec<Input>,
  input: z.output<Input>,
  { callId, process, clock, signal }: CallContext,
): Promise<Result<ToolValue>> {
  try {
    return plain(spec.name, await spec.run(input, { callId, process, clock, signal }));
  } catch (cause) {
    return err("tool_failed", `${spec.name} failed: ${messageOf(cause)}`);
  }
}

/** The value as JSON carries it. Throws for one that JSON cannot. */
function plain(name: string, answered: unknown): Result<ToolValue> {
  const text = JSON.stringify(answered) ?? "null";
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > LIMITS.toolResultBytes) {
    return err("too_large", `${name} answered ${bytes} bytes of JSON; a result has at most ${LIMITS.toolResultBytes}.`);
  }
  const value: unknown = JSON.parse(text);
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value) && !("ok" in value);
  return ok(isRecord ? { ...value } : { value });
}

function messageOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).slice(0, LIMITS.toolErrorChars);
}
