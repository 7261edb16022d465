import type { PermissionLevel } from "../process/spec.ts";

/** Permission levels as one table, deny by default: what each level may do (kernel design, section 9). */

export const CAPABILITIES = [
  /** Think, use its own memory, read its own files, ask a person. */
  "own.read",
  /** Write its own files; message parent and children. */
  "own.write",
  /** Read from hosts that were granted. */
  "web.get",
  /** Any method, to hosts that were granted. */
  "web.any",
  /** Every public host. */
  "web.public",
  "tools.read-only",
  "tools.granted",
  "code.run",
  "process.spawn",
  "shared.read",
  "shared.write",
  /** What cannot be undone, when a person says yes to it. */
  "irreversible.asked",
  /** The same without asking. */
  "irreversible",
] as const;
export type Capability = (typeof CAPABILITIES)[number];

const RESTRICTED: readonly Capability[] = ["own.read"];
const STANDARD: readonly Capability[] = [
  ...RESTRICTED,
  "own.write",
  "web.get",
  "tools.read-only",
  "shared.read",
  "irreversible.asked",
];
const ADVANCED: readonly Capability[] = [
  ...STANDARD,
  "web.any",
  "tools.granted",
  "code.run",
  "process.spawn",
  "shared.write",
];

const ALLOWED: Record<PermissionLevel, readonly Capability[]> = { RESTRICTED, STANDARD, ADVANCED, FULL: CAPABILITIES };

export function allows(level: PermissionLevel, capability: Capability): boolean {
  return ALLOWED[level].includes(capability);
}
