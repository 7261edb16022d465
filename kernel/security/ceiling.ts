import type { InputIssue } from "../errors.ts";
import { type Grants, PERMISSION_LEVELS, type PermissionLevel } from "../process/spec.ts";
import { coversHosts } from "./host-rules.ts";
import { allows } from "./levels.ts";

/** What one process may at most: its level, and what it was granted on top. A child is never above its parent. */
export interface Standard {
  level: PermissionLevel;
  grants: Grants;
}

export function isAbove(level: PermissionLevel, other: PermissionLevel): boolean {
  return PERMISSION_LEVELS.indexOf(level) > PERMISSION_LEVELS.indexOf(other);
}

/** The lower of the two. */
export function lowerOf(level: PermissionLevel, other: PermissionLevel): PermissionLevel {
  return isAbove(level, other) ? other : level;
}

/** Where `child` would be above `parent`, as places in the body that asks for it. */
export function aboveParent(child: Standard, parent: Standard): InputIssue[] {
  if (isAbove(child.level, parent.level)) {
    return [{ path: "$.permissionLevel", message: `the parent is ${parent.level}; ask for that or less` }];
  }
  const { tools = [], hosts = [], paths = [], credentials = [] } = child.grants;
  const held = parent.grants;
  return [
    ...(allows(parent.level, "web.public") || coversHosts(held.hosts ?? [], hosts) ? [] : [notHeld("hosts")]),
    ...(parent.level === "FULL" || isWithin(tools, held.tools) ? [] : [notHeld("tools")]),
    ...(isWithin(paths, held.paths) ? [] : [notHeld("paths")]),
    ...(isWithin(credentials, held.credentials) ? [] : [notHeld("credentials")]),
  ];
}

function isWithin(asked: readonly string[], held: readonly string[] = []): boolean {
  return asked.every((one) => held.includes(one));
}

function notHeld(what: keyof Grants): InputIssue {
  return { path: `$.grants.${what}`, message: `the parent itself was not granted all of these ${what}` };
}
