import * as z from "zod";
import { ok } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Outward } from "../security/flow.ts";
import type { FileEntry } from "../storage/driver.ts";
import { mountOf, resolvePath, SHARED, WORKSPACE } from "../storage/path.ts";
import { readText } from "../storage/text-range.ts";
import { type Syscall, syscall } from "../syscall.ts";

/** The agent's files, as text. Paths are checked and resolved by the mounts behind `context.files`. */

const path = z
  .string()
  .min(1)
  .max(LIMITS.filePathChars)
  .describe(`Path of a file, such as ${WORKSPACE}/notes.txt; relative ones start at ${WORKSPACE}.`);

const fileRead = syscall({
  name: "file_read",
  description: `Read a text file. A long one comes in parts: while remainingBytes is not 0, read on with offset = nextOffset.`,
  input: z.strictObject({
    path,
    offset: z.int().min(0).max(LIMITS.fileBytes).default(0).describe("Byte to start at; 0 is the first."),
    length: z
      .int()
      .min(4)
      .max(LIMITS.fileReadMaxBytes)
      .default(LIMITS.fileReadBytes)
      .describe("How many bytes to read at most."),
  }),
  capability: "own.read",
  effect: "pure",
  timeoutMs: LIMITS.toolMs,
  run: async ({ files }, { path, offset, length }) => {
    const read = await readText(files, path, { offset, length });
    if (!read.ok) return read;
    const { file, nextOffset, content } = read.value;
    const remainingBytes = nextOffset === null ? 0 : file.bytes - nextOffset;
    const place = { offset: read.value.offset, remainingBytes, nextOffset };
    return ok({ path: file.path, version: file.version, bytes: file.bytes, ...place, content });
  },
});

const fileWrite = syscall({
  name: "file_write",
  description:
    "Write a text file: creates it, or replaces all of its content. Give ifVersion to be sure that nobody changed the file since you read it.",
  input: z.strictObject({
    path,
    content: z
      .string()
      .refine((text) => text.isWellFormed(), "half of a surrogate pair is no text")
      .describe("The whole new content of the file."),
    ifVersion: z.int().min(0).optional().describe("Write only over this version; 0 = only when there is no such file."),
  }),
  capability: "own.write",
  effect: "idempotent",
  outward: ({ path }) => shared(path),
  timeoutMs: LIMITS.toolMs,
  run: async ({ files, callId }, { path, content, ifVersion }) => {
    const put = await files.put(path, new TextEncoder().encode(content), { ifVersion, key: callId });
    return put.ok ? ok({ path: put.value.path, version: put.value.version, bytes: put.value.bytes }) : put;
  },
});

const fileList = syscall({
  name: "file_list",
  description: `List the files in a folder and in all folders below it, in the order of their paths; for a file, that file. When nextCursor is not null there are more: list again with it as cursor.`,
  input: z.strictObject({
    path: path.default(WORKSPACE).describe(`Path of a folder; ${WORKSPACE} when absent, / for everything.`),
    cursor: z.string().max(LIMITS.filePathChars).optional().describe("nextCursor of the list before."),
  }),
  capability: "own.read",
  effect: "pure",
  timeoutMs: LIMITS.toolMs,
  run: async ({ files }, { path, cursor }) => {
    const folder = path.endsWith("/") ? path : `${path}/`;
    const listed = await files.list(folder, { limit: LIMITS.fileListMax, cursor });
    if (!listed.ok) return listed;
    const { items, nextCursor } = listed.value;
    const one = items.length === 0 ? await files.get(path, NOTHING) : null;
    return ok({ items: (one?.ok ? [one.value.file] : items).map(line), nextCursor });
  },
});

/** Asks for the facts of a file without its content. */
const NOTHING = { offset: 0, length: 0 };

function line({ path, bytes, version, updatedAt }: FileEntry): object {
  return { path, bytes, version, updatedAt };
}

const fileDelete = syscall({
  name: "file_delete",
  description: "Delete a file for good.",
  input: z.strictObject({ path }),
  capability: "own.write",
  effect: "idempotent",
  outward: ({ path }) => shared(path),
  timeoutMs: LIMITS.toolMs,
  run: async ({ files, callId }, { path }) => {
    const deleted = await files.delete(path, { key: callId });
    const resolved = deleted.ok ? resolvePath(path) : deleted;
    return resolved.ok ? ok({ path: resolved.value, deleted: true }) : resolved;
  },
});

/** What other agents read is as good as outside. */
function shared(path: string): Outward | null {
  const resolved = resolvePath(path);
  return resolved.ok && mountOf(resolved.value) === SHARED ? { act: "shared", url: null, isBare: false } : null;
}

export const FILE_CALLS: readonly Syscall[] = [fileRead, fileWrite, fileList, fileDelete];
