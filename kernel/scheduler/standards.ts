import { err, type KernelError } from "../errors.ts";
import type { ProcessPatch, ProcessSpec } from "../process/spec.ts";
import { aboveParent, joinDenials, lowerOf, type Standard } from "../security/ceiling.ts";
import type { ProcessTable } from "./process-table.ts";

/**
 * What processes may, as it changes hands: a child has of its parent what its spec leaves open, and nobody is changed above its
 * parent or below its children. Decided on the core's own word: what processes report of themselves may be a moment old.
 */

const DEFAULT_LEVEL = "STANDARD";
const LOWEST: Standard = { level: "RESTRICTED", grants: {}, denials: {}, tools: null };

interface StandardParts {
  readonly processes: ProcessTable;
}

export function standardOf({ processes }: StandardParts, agentId: string): Standard {
  return processes.standardOf(agentId) ?? LOWEST;
}

/**
 * The spec with what the process has of its parent: where it names none, a level that is not above the parent's, its tools and
 * its paths; and in any case whatever the parent is denied, and asks a person about.
 */
export function inherited({ processes }: StandardParts, spec: ProcessSpec): ProcessSpec {
  const { parentId } = spec;
  const parent = parentId === undefined ? null : processes.standardOf(parentId);
  if (parentId === undefined || parent === null)
    return { ...spec, permissionLevel: spec.permissionLevel ?? DEFAULT_LEVEL };
  const asks = [...new Set([...processes.asksOf(parentId), ...(spec.approvals?.tools ?? [])])];
  const tools = spec.tools ?? parent.tools?.filter((tool) => !isDenied(tool, parent)) ?? null;
  const paths = spec.grants?.paths ?? parent.grants.paths;
  return {
    ...spec,
    permissionLevel: spec.permissionLevel ?? lowerOf(DEFAULT_LEVEL, parent.level),
    ...(tools === null ? {} : { tools }),
    ...(paths === undefined ? {} : { grants: { ...spec.grants, paths } }),
    denials: joinDenials(parent.denials, spec.denials ?? {}),
    ...(asks.length === 0 ? {} : { approvals: { tools: asks } }),
  };
}

/** Where a spec would be above its parent. `spec` as `inherited` answers it. */
export function refuseChild(parts: StandardParts, spec: ProcessSpec, parentId: string): KernelError | null {
  const { permissionLevel: level = DEFAULT_LEVEL, grants = {}, denials = {}, tools = null } = spec;
  const parent = standardOf(parts, parentId);
  const denied = (tools ?? []).filter((tool) => isDenied(tool, parent));
  const issues = [
    ...aboveParent({ level, grants, denials, tools }, parent),
    ...(denied.length === 0 ? [] : [{ path: "$.tools", message: `the parent is denied ${denied.join(", ")}` }]),
  ];
  return issues.length === 0 ? null : above(issues);
}

/** What the process would be allowed with the patch: lists that are given take the place of the ones before. */
export function patched(parts: StandardParts, agentId: string, patch: ProcessPatch): Standard {
  const own = standardOf(parts, agentId);
  const parent = parentOf(parts, agentId);
  const denials = { ...own.denials, ...patch.denials };
  return {
    level: patch.permissionLevel ?? own.level,
    grants: { ...own.grants, ...patch.grants },
    denials: parent === null ? denials : joinDenials(parent.denials, denials),
    tools: own.tools,
  };
}

/** Why the process may not be allowed `wanted`, or null. */
export function refuseStandard(parts: StandardParts, agentId: string, wanted: Standard): KernelError | null {
  const parent = parentOf(parts, agentId);
  const issues = parent === null ? [] : aboveParent(wanted, parent);
  if (issues.length > 0) return above(issues);
  for (const child of parts.processes.children(agentId)) {
    const held = standardOf(parts, child);
    const [first] = aboveParent(held, wanted);
    if (first !== undefined) return belowChild(child, held, first.path);
  }
  return null;
}

function isDenied(tool: string, { denials }: Standard): boolean {
  return denials.tools?.includes(tool) === true;
}

function parentOf(parts: StandardParts, agentId: string): Standard | null {
  const [parentId] = parts.processes.ancestors(agentId);
  return parentId === undefined ? null : standardOf(parts, parentId);
}

function above(issues: { path: string; message: string }[]): KernelError {
  return err("forbidden", "A child is never above its parent.", { issues }).error;
}

function belowChild(child: string, { level }: Standard, path: string): KernelError {
  const message = `Its child ${child} (${level}) may more (${path}), and a child is never above its parent: change or end it first.`;
  return err("conflict", message).error;
}
