import type * as z from "zod";
import type { Fault, Page, PageEntry, PagePatch, SearchHit } from "./context/page.ts";
import type { KernelError, Result } from "./errors.ts";
import type { Clock } from "./ports.ts";
import type { CredentialStore } from "./security/credential.ts";
import type { Egress } from "./security/egress.ts";
import type { Outward } from "./security/flow.ts";
import type { Label } from "./security/label.ts";
import type { Capability } from "./security/levels.ts";
import type { Reach } from "./security/reach.ts";
import type { Sandbox } from "./security/sandbox/sandbox.ts";
import type { StorageDriver } from "./storage/driver.ts";

/**
 * System calls: everything that an agent's model can cause, as entries of one shape. `kernel/syscalls/` holds them, one
 * file a family; the tools offered to the model and the reference docs derive from the table that they make.
 */

/**
 * What a crash in the middle leaves behind, and so what recovery may do:
 * pure = nothing, run it again; internal = it is inside the object's own transaction; idempotent = the receiver honours
 * our key, send it again; external = neither, so an unknown outcome is parked for a person and never re-run.
 */
export const EFFECTS = ["pure", "internal", "idempotent", "external"] as const;
export type Effect = (typeof EFFECTS)[number];
/** Of calls that leave the object. */
export type OutwardEffect = Exclude<Effect, "internal">;

/** What an agent's memory answers to system calls. `context/` implements it. */
export interface Memory {
  search(query: string, limit: number): Promise<SearchHit[]>;
  /** Brings the page's content in from wherever it is, counts the fault and the use. */
  touch(pageId: string): Promise<Result<{ page: Page; fault: Fault }>>;
  /** `quota_exceeded` when it does not fit: then nothing is stored. */
  note(input: { content: string; importance: number }): Result<PageEntry[]>;
  patch(pageId: string, patch: PagePatch): Result<PageEntry>;
  forget(pageId: string): Result<null>;
}

/** The way out of the kernel, and how far this process may go on it. */
export interface Outside {
  readonly egress: Egress;
  readonly reach: Reach;
  /** Names of the credentials that it was granted. */
  readonly mayUse: readonly string[];
}

/** What a system call may use while it runs. */
export interface CallContext extends Outside {
  readonly callId: string;
  readonly process: { readonly id: string; readonly tenant: string };
  readonly clock: Clock;
  readonly memory: Memory;
  readonly files: StorageDriver;
  readonly sandbox: Sandbox;
  readonly credentials: CredentialStore;
  /** Aborts at the call's deadline, or when the process is signalled. */
  readonly signal: AbortSignal;
}

/** What a call asks of the loop instead of running. */
export type Control =
  | { type: "exit"; result: string; code: number }
  | { type: "ask"; question: string; options: string[] | null };

interface SyscallFacts<Input extends z.ZodType> {
  /** The tool name that the model sees. */
  readonly name: string;
  /** For the model: what it does and when to use it. */
  readonly description: string;
  /** A strict object. Its JSON Schema is offered to the model. */
  readonly input: Input;
  readonly capability: Capability;
  readonly timeoutMs: number;
  /** CPU of the sandbox that one attempt may use at most, in milliseconds; absent = it runs no code. */
  readonly cpuMs?: number;
  /** Absent = offered to whoever has the capability. A call that could only be refused takes no room in the prompt. */
  isOffered?(outside: Outside): boolean;
  /** What the capability leaves open because it depends on the input: why this call may not run, or null. */
  permit?(input: z.output<Input>, outside: Outside): KernelError | null;
  /** What of this call cannot be undone, as the end of "It is asked because ..."; absent or null = nothing. */
  irreversible?(input: z.output<Input>): string | null;
  /** How the call acts outwards, if it does: what the process has read may forbid that without a person's yes. */
  outward?(input: z.output<Input>): Outward | null;
  /** Of content that it brings in from elsewhere. What it reads of memory and files counts by itself. */
  brings?(input: z.output<Input>): Label | null;
  /** The host that the call acts at, as `host` or `host:port`: rules about approvals may name it. */
  hostOf?(input: z.output<Input>): string | null;
}

/** A result that goes back to the model as one JSON value: `{ok: true, ...value}` or `{ok: false, code, message}`. */
export type ToolValue = Record<string, unknown>;

export type Syscall<Input extends z.ZodType = z.ZodType> = SyscallFacts<Input> &
  (
    | { readonly effect: "internal"; run(context: CallContext, input: z.output<Input>): Result<ToolValue> }
    | {
        readonly effect: OutwardEffect;
        run(context: CallContext, input: z.output<Input>): Promise<Result<ToolValue>>;
      }
    | {
        /** One tool whose calls leave different things behind: each says which. */
        readonly effect: "by-input";
        effectOf(input: z.output<Input>, outside: Outside): OutwardEffect;
        run(context: CallContext, input: z.output<Input>): Promise<Result<ToolValue>>;
      }
    | { readonly effect: "control"; control(input: z.output<Input>): Control }
  );

/** Gives an entry its input type where it is written, and the table's common type where it is used. */
export function syscall<Input extends z.ZodType>(entry: Syscall<Input>): Syscall {
  return entry as unknown as Syscall;
}
