import type { Denials, Grants, PermissionLevel } from "../process/spec.ts";
import { comparePaths, mountOf, PROC, SHARED, WORKSPACE } from "../storage/path.ts";
import { allows } from "./levels.ts";
import { type Access, isWithin, lowerAccess, PathRules, rootOf } from "./path-rules.ts";

/**
 * Which files one process sees, and which of them it may write: what its level says of the mount, within the paths that it was
 * granted, without those that it was denied. All paths here are resolved.
 */

/** Behind every path below a folder: no name begins with this. */
const END = "\u{10FFFF}";

/** Where a listing looks: at one file, or at whatever begins with a text. */
export interface Start {
  text: string;
  isFile: boolean;
}

export class Sight {
  readonly #level: PermissionLevel;
  readonly #granted: PathRules;
  readonly #denied: readonly string[];

  constructor(level: PermissionLevel, { paths }: Pick<Grants, "paths">, denials: Pick<Denials, "paths">) {
    this.#level = level;
    this.#granted = PathRules.granted(paths);
    this.#denied = (denials.paths ?? []).map(rootOf).filter((root) => root !== null);
  }

  accessOf(path: string): Access {
    const place = path.replace(/\/$/, "");
    if (this.#denied.some((root) => isWithin(place, root))) return "none";
    return lowerAccess(this.#ofMount(mountOf(place)), this.#granted.accessOf(place));
  }

  /** Parts of what begins with `prefix` that were granted, in the order of their paths and apart from each other. */
  starts(prefix: string): Start[] {
    const roots = this.#granted.roots.filter(
      (root, at, all) => !all.some((one, other) => isBelow(root, one, at, other)),
    );
    if (roots.includes("")) return [{ text: prefix, isFile: false }];
    const starts = roots.flatMap((root): Start[] => {
      const below = `${root}/`;
      if (prefix.startsWith(below)) return [{ text: prefix, isFile: false }];
      const file = root.startsWith(prefix) ? [{ text: root, isFile: true }] : [];
      return below.startsWith(prefix) ? [...file, { text: below, isFile: false }] : file;
    });
    return starts.toSorted((a, b) => comparePaths(a.text, b.text));
  }

  /** A place in the order of paths behind `path`, which is hidden, and behind what is hidden with it. */
  beyond(path: string): string {
    const roots = [...this.#denied.filter((root) => isWithin(path, root)), mountOf(path)];
    const root = roots[0] ?? path;
    return path === root ? path : `${root}/${END}`;
  }

  /** How often a listing may come upon something hidden: a file and a folder for each denial, and mounts. */
  get hiddenParts(): number {
    return 2 * this.#denied.length + MOUNTS;
  }

  #ofMount(mount: string): Access {
    if (mount === WORKSPACE) return allows(this.#level, "own.write") ? "write" : "read";
    if (mount === PROC) return "read";
    if (mount !== SHARED) return "write";
    return allows(this.#level, "shared.write") ? "write" : allows(this.#level, "shared.read") ? "read" : "none";
  }
}

const MOUNTS = 3;

/** Whether `root` lies within `other`, or says the same a second time. */
function isBelow(root: string, other: string, at: number, otherAt: number): boolean {
  return root === other ? at > otherAt : isWithin(root, other);
}
