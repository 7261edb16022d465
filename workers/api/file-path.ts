import { err, type Result } from "../../kernel/errors.ts";
import { resolvePath } from "../../kernel/storage/path.ts";

/**
 * The path of a file, from the raw URL: a router decodes too early, and `%2F` in a name would become a new segment
 * unseen. What follows `/files/` is a path in the agent's mounts, decoded once; the leading slash may be left out before
 * the name of a mount (`/files/workspace/a.txt`), and a path without a mount starts at `/workspace` (`/files/a.txt`).
 */

const AFTER_FILES = /^[^?#]*?\/(?:files|file-versions)\/([^?#]*)/;
const MOUNTS = ["workspace", "shared", "proc"];

/** The resolved path, or why there is none; no object is asked about a path that climbs out. */
export function filePath(url: string): Result<string> {
  const decoded = decode(AFTER_FILES.exec(url)?.[1] ?? "");
  if (decoded === null) return refused("The percent-encoding is not UTF-8.");
  const [first = ""] = decoded.split("/", 1);
  const resolved = resolvePath(MOUNTS.includes(first) ? `/${decoded}` : decoded);
  return resolved.ok ? resolved : refused(resolved.error.message);
}

function decode(raw: string): string | null {
  try {
    return decodeURIComponent(raw);
  } catch {
    return null;
  }
}

function refused(message: string): Result<never> {
  return err("invalid_input", message, { issues: [{ path: "path.path", message }] });
}
