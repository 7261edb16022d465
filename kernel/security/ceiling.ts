import type { InputIssue } from "../errors.ts";
import { type Denials, type Grants, PERMISSION_LEVELS, type PermissionLevel } from "../process/spec.ts";
import { coversHosts } from "./host-rules.ts";
import { allows } from "./levels.ts";
import { coversPaths } from "./path-rules.ts";

/** What one process may at most. A child is never above its parent. */
export interface Standard {
  level: PermissionLevel;
  /** On top of the level; of files, what is left of it. */
  grants: Grants;
  /** Beats level and grants. */
  denials: Denials;
  /** The tools that it is offered; null = all that its level allows. */
  tools: readonly string[] | null;
}

export function isAbove(level: PermissionLevel, other: PermissionLevel): boolean {
  return PERMISSION_LEVELS.indexOf(level) > PERMISSION_LEVELS.indexOf(other);
}

/** The lower of the two. */
export function lowerOf(level: PermissionLevel, other: PermissionLevel): PermissionLevel {
  return isAbove(level, other) ? other : level;
}

/** All that either of them denies. */
export function joinDenials(a: Denials, b: Denials): Denials {
  const of = (what: keyof Denials) => {
    const all = [...new Set([...(a[what] ?? []), ...(b[what] ?? [])])];
    return all.length === 0 ? {} : { [what]: all };
  };
  return { ...of("tools"), ...of("hosts"), ...of("paths") };
}

/** Where `child` would be above `parent`, as places in the body that asks for it. */
export function aboveParent(child: Standard, parent: Standard): InputIssue[] {
  if (isAbove(child.level, parent.level)) {
    return [{ path: "$.permissionLevel", message: `the parent is ${parent.level}; ask for that or less` }];
  }
  const { tools = [], hosts = [], paths, credentials = [] } = child.grants;
  const held = parent.grants;
  return [
    ...(allows(parent.level, "web.public") || coversHosts(held.hosts ?? [], hosts) ? [] : [notHeld("hosts")]),
    ...(parent.level === "FULL" || isWithin(tools, held.tools) ? [] : [notHeld("tools")]),
    ...(coversPaths(held.paths, paths) ? [] : [notHeld("paths")]),
    ...(isWithin(credentials, held.credentials) ? [] : [notHeld("credentials")]),
    ...moreTools(child, parent),
    ...notDenied(child.denials, parent.denials),
  ];
}

/** A process that is offered all tools of its level is below nobody who is offered some. */
function moreTools({ tools }: Standard, { tools: held }: Standard): InputIssue[] {
  if (held === null || (tools !== null && isWithin(tools, held))) return [];
  return [{ path: "$.tools", message: `the parent is offered ${held.join(", ") || "none"}` }];
}

function notDenied(denials: Denials, above: Denials): InputIssue[] {
  const lists = ["tools", "hosts", "paths"] as const;
  return lists
    .filter((what) => !isWithin(above[what] ?? [], denials[what]))
    .map((what) => ({ path: `$.denials.${what}`, message: `the parent is denied more ${what} than these` }));
}

function isWithin(asked: readonly string[], held: readonly string[] = []): boolean {
  return asked.every((one) => held.includes(one));
}

function notHeld(what: keyof Grants): InputIssue {
  return { path: `$.grants.${what}`, message: `the parent itself was not granted all of these ${what}` };
}
