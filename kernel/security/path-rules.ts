import { resolvePath } from "../storage/path.ts";

/**
 * Lists of paths as operators and spawns write them: `/workspace/a` for that file or folder and all below it, to read and to
 * write; `/workspace/a:ro` to read only. The longest rule that covers a path decides. Rules cover whole names: `/workspace/ab` is
 * not in `/workspace/a`.
 */

export const ACCESSES = ["none", "read", "write"] as const;
export type Access = (typeof ACCESSES)[number];

export const PATH_RULE = "an absolute path, with :ro at its end for reading only";
export const DENIED_PATH = "an absolute path";

interface PathRule {
  /** As `resolvePath` spells it, without the slash of a folder; empty = everything. */
  readonly root: string;
  readonly access: Access;
}

const READ_ONLY = ":ro";

export class PathRules {
  readonly #rules: readonly PathRule[];

  private constructor(rules: readonly PathRule[]) {
    this.#rules = rules;
  }

  /** Absent = everything. Entries that are no rule give nothing. */
  static granted(entries: readonly string[] | undefined): PathRules {
    if (entries === undefined) return new PathRules([{ root: "", access: "write" }]);
    return new PathRules(entries.map(ruleOf).filter((rule) => rule !== null));
  }

  /** The places that the rules speak of. */
  get roots(): readonly string[] {
    return this.#rules.map(({ root }) => root);
  }

  /** `path` is resolved. Of two rules for one place the narrower holds. */
  accessOf(path: string): Access {
    const covering = this.#rules.filter(({ root }) => isWithin(path, root));
    const longest = Math.max(0, ...covering.map(({ root }) => root.length));
    const found = covering.filter(({ root }) => root.length === longest).map(({ access }) => access);
    return found.length === 0 ? "none" : found.reduce(lowerAccess);
  }
}

/** Whether a resolved path is `root` or lies below it. */
export function isWithin(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}

export function lowerAccess(a: Access, b: Access): Access {
  return ACCESSES.indexOf(a) < ACCESSES.indexOf(b) ? a : b;
}

/** Whether `held` gives at every path at least what `asked` gives there. Between two roots nothing changes. */
export function coversPaths(held: readonly string[] | undefined, asked: readonly string[] | undefined): boolean {
  const [most, wanted] = [PathRules.granted(held), PathRules.granted(asked)];
  return [...most.roots, ...wanted.roots].every(
    (root) => lowerAccess(wanted.accessOf(root), most.accessOf(root)) === wanted.accessOf(root),
  );
}

export function isPathRule(entry: string): boolean {
  return ruleOf(entry) !== null;
}

/** Denials have no halves: what is denied is not seen. */
export function isDeniedPath(entry: string): boolean {
  return ruleOf(entry)?.access === "write";
}

/** The place that an entry is about, or null when it is no rule. */
export function rootOf(entry: string): string | null {
  return ruleOf(entry)?.root ?? null;
}

function ruleOf(entry: string): PathRule | null {
  const isReadOnly = entry.endsWith(READ_ONLY);
  const text = isReadOnly ? entry.slice(0, -READ_ONLY.length) : entry;
  const path = text.startsWith("/") ? resolvePath(text) : null;
  if (path === null || !path.ok) return null;
  return { root: path.value.replace(/\/$/, ""), access: isReadOnly ? "read" : "write" };
}
