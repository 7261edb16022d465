import { err, ok, type Result } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { FileEntry, FileRange, WriteOptions } from "../driver.ts";

/** What every driver decides alike: sizes, versions, repeats of keyed writes, and the words of refusals. */

export type Refusal = Extract<Result<never>, { ok: false }>;

export function notFound(path: string): Refusal {
  return err("not_found", `There is no file ${path}.`);
}

/** Why a write of `bytes` over `current` is refused, or null. */
export function refuseWrite(
  path: string,
  bytes: Uint8Array,
  current: FileEntry | undefined,
  options: WriteOptions,
): Refusal | null {
  if (bytes.length > LIMITS.fileBytes) {
    return err("too_large", `${path} would be ${bytes.length} bytes; a file holds at most ${LIMITS.fileBytes}.`);
  }
  const version = current?.version ?? 0;
  if (options.ifVersion === undefined || options.ifVersion === version) return null;
  const now = version === 0 ? "does not exist" : `is at version ${version}`;
  return err("version_conflict", `${path} ${now}, not at version ${options.ifVersion}: read it again.`);
}

/** A keyed write that was done: what it was, and what it answered. */
export interface DoneWrite {
  action: string;
  /** The file as the write made it, or as the deletion found it. */
  answer: FileEntry;
}

export function putAction(path: string, sha256: string): string {
  return JSON.stringify(["put", path, sha256]);
}

export function deleteAction(path: string): string {
  return JSON.stringify(["delete", path]);
}

/** What a repeat of `done` is answered when it comes as `action`. */
export function repeat(done: DoneWrite, action: string): Result<FileEntry> {
  if (done.action === action) return ok(done.answer);
  return err("idempotency_mismatch", "The key was used for another write.");
}

/** How many files one listing answers. */
export function pageSize(limit: number): number {
  return Math.max(1, Math.min(Math.trunc(limit), LIMITS.fileListMax));
}

/** The part of `range` that a file of `bytes` has. */
export function clamp(range: FileRange | undefined, bytes: number): FileRange {
  const offset = Math.min(range?.offset ?? 0, bytes);
  return { offset, length: Math.min(range?.length ?? bytes, bytes - offset) };
}
