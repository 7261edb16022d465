import { PERMISSION_LEVELS, type PermissionLevel } from "../process/spec.ts";

/**
 * Permission levels as one table, deny by default (kernel design, section 9): each capability, the lowest level that has it, and
 * what it is in words. Whoever has a level has everything of the levels below it. `docs/permissions.md` is made from this.
 */
const TABLE = {
  "own.read": ["RESTRICTED", "think, use its own memory, read its own files, ask a person"],
  "own.write": ["STANDARD", "write its own files; message parent and children"],
  "web.get": ["STANDARD", "read from hosts that it was granted"],
  "tools.read-only": ["STANDARD", "use tools of MCP servers and plugins that the operator marked read-only"],
  "shared.read": ["STANDARD", "read what the tenant shares"],
  "irreversible.asked": ["STANDARD", "do what cannot be undone, when a person says yes to it"],
  "web.any": ["ADVANCED", "send any request to hosts that it was granted"],
  "tools.granted": ["ADVANCED", "use tools of MCP servers and plugins that it was granted"],
  "code.run": ["ADVANCED", "run code in the sandbox"],
  "process.spawn": ["ADVANCED", "spawn children"],
  "shared.write": ["ADVANCED", "write what the tenant shares"],
  "web.public": ["FULL", "send any request to every public host, also from code"],
  irreversible: ["FULL", "do what cannot be undone, without asking"],
} as const satisfies Record<string, readonly [PermissionLevel, string]>;

export type Capability = keyof typeof TABLE;
export const CAPABILITIES = Object.keys(TABLE) as [Capability, ...Capability[]];

export function allows(level: PermissionLevel, capability: Capability): boolean {
  return PERMISSION_LEVELS.indexOf(level) >= PERMISSION_LEVELS.indexOf(TABLE[capability][0]);
}

/** What the capability is, in words that complete "a process may ...". */
export function wordsOf(capability: Capability): string {
  return TABLE[capability][1];
}
