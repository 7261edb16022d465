import { err, ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/**
 * Paths of an agent's file system. Whatever a model, a person or a program wrote becomes one spelling or a refusal:
 * absolute, NFC, no empty names, no `.` and `..`; a folder ends in `/`. The first name is the mount, and `..` never
 * leaves it. Percent signs are characters like others: only the HTTP edge decodes, once.
 *
 * Callers compare, route and store only what `resolvePath` answered.
 */

/** Where relative paths start. */
export const WORKSPACE = "/workspace";
/** What the agents of a tenant share. */
export const SHARED = "/shared";
/** What the kernel says of the process. */
export const PROC = "/proc";

/** Controls, line separators, and marks that make a name read in another order than it is stored. */
const UNSEEN = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u;

function refuse(message: string): Result<never> {
  return err("invalid_input", message);
}

function spellingError(text: string): string | null {
  if (text === "") return "The path is empty.";
  if (text.length > LIMITS.filePathChars) return `The path is over ${LIMITS.filePathChars} characters.`;
  if (!text.isWellFormed()) return "The path holds half of a surrogate pair.";
  if (UNSEEN.test(text)) return "The path holds a control character.";
  if (text.includes("\\")) return "The path holds a backslash; names are separated by /.";
  return null;
}

/** The names from the root down, or why there are none. The first one stays: it is the mount. */
function walk(names: readonly string[]): Result<string[]> {
  const way: string[] = [];
  for (const name of names) {
    if (name === ".") continue;
    if (name === "..") {
      if (way.length < 2) return refuse("The path climbs out of its mount with `..`.");
      way.pop();
    } else if (name.trim() === "") {
      return refuse("The path holds an empty name; write one / between two names.");
    } else {
      way.push(name);
    }
  }
  return ok(way);
}

/** The one spelling of `text`; a path that names a folder (`a/`, `a/..`, a mount) ends in `/`. */
export function resolvePath(text: string): Result<string> {
  // Longer than any legal path in any normal form: refused before work is spent on it.
  if (text.length > 4 * LIMITS.filePathChars) return refuse(`The path is over ${LIMITS.filePathChars} characters.`);
  const normal = text.normalize("NFC");
  const wrong = spellingError(normal);
  if (wrong !== null) return refuse(wrong);
  const names = (normal.startsWith("/") ? normal : `${WORKSPACE}/${normal}`).split("/").slice(1);
  const last = names.at(-1);
  const way = walk(last === "" ? names.slice(0, -1) : names);
  if (!way.ok) return way;
  const isFolder = last === "" || last === "." || last === ".." || way.value.length < 2;
  const path = `/${way.value.join("/")}`;
  if (path.length > LIMITS.filePathChars) return refuse(`The path is over ${LIMITS.filePathChars} characters.`);
  return ok(isFolder && path !== "/" ? `${path}/` : path);
}

/** The mount of a resolved path: `/workspace` of `/workspace/a/b`; `/` of the root itself. */
export function mountOf(path: string): string {
  return `/${path.split("/", 2)[1] ?? ""}`;
}

/** Surrogates stand for characters above all others: moves them there, so that units compare as code points do. */
function rank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}

/** Orders by code points, as SQLite and UTF-8 bytes do; `<` on strings orders by UTF-16 units. */
export function comparePaths(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = rank(a.charCodeAt(i)) - rank(b.charCodeAt(i));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
