import { KernelBug } from "../errors.ts";
import type { Syscall } from "../syscall.ts";
import { CODE_CALLS } from "./code.ts";
import { FILE_CALLS } from "./fs.ts";
import { HUMAN_CALLS } from "./human.ts";
import { MEMORY_CALLS } from "./memory.ts";
import { PROCESS_CALLS } from "./process.ts";
import { TOOL_CALLS } from "./tool.ts";
import { WEB_CALLS } from "./web.ts";

/** Calls by name. It has no prototype: a name that nobody gave, such as `constructor`, is not in it. */
export type SyscallTable = Readonly<Record<string, Syscall>>;

/** A frozen table. Two calls of one name are a bug. */
export function tableOf(calls: Iterable<Syscall>): SyscallTable {
  const table: Record<string, Syscall> = Object.create(null);
  for (const call of calls) {
    if (call.name in table) throw new KernelBug(`two system calls are named ${call.name}`);
    table[call.name] = Object.freeze(call);
  }
  return Object.freeze(table);
}

/** The one table: every system call that the kernel itself brings. */
export const SYSCALLS: SyscallTable = tableOf([
  ...MEMORY_CALLS,
  ...FILE_CALLS,
  ...TOOL_CALLS,
  ...WEB_CALLS,
  ...CODE_CALLS,
  ...HUMAN_CALLS,
  ...PROCESS_CALLS,
]);
