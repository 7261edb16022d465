import * as z from "zod";
import type { PageEntry, PagePatch } from "../context/page.ts";
import { ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type CallContext, type Syscall, syscall, type ToolValue } from "../syscall.ts";

/** The agent's own memory: search and read its pages, note, pin, forget. A page id stands in every answer. */

const pageId = z.string().min(1).max(LIMITS.nameChars).describe("Id of a page, such as pg_0123456789ab.");
const onePage = z.strictObject({ pageId });

const memorySearch = syscall({
  name: "memory_search",
  description:
    "Search all of your memory: documents, notes, earlier messages and results, also those that are not in the prompt. Answers page ids with snippets; read a page before you rely on it.",
  input: z.strictObject({
    query: z
      .string()
      .min(1)
      .max(LIMITS.queryChars)
      .describe("What to look for, in words that the text itself would use."),
    limit: z
      .int()
      .min(1)
      .max(LIMITS.searchMax)
      .default(LIMITS.searchDefault)
      .describe("How many pages to answer at most."),
  }),
  capability: "own.read",
  effect: "pure",
  timeoutMs: LIMITS.toolMs,
  run: async ({ memory }, { query, limit }) => {
    const hits = await memory.search(query, limit);
    return ok({ items: hits.map(({ id, score, tier, source, snippet }) => ({ id, score, tier, source, snippet })) });
  },
});

const memoryRead = syscall({
  name: "memory_read",
  description: "Read one page of your memory in full. Cite what you use from it as [its id].",
  input: onePage,
  capability: "own.read",
  // Brings the page nearer and counts the use; doing so twice is no harm, so a crash leaves nothing to repair.
  effect: "pure",
  timeoutMs: LIMITS.toolMs,
  run: async ({ memory }, input) => {
    const touched = await memory.touch(input.pageId);
    if (!touched.ok) return touched;
    const { page, fault } = touched.value;
    return ok({ pageId: page.id, source: page.source, fault, tokens: page.tokens, content: page.content });
  },
});

const memoryNote = syscall({
  name: "memory_note",
  description:
    "Write a note to your memory, to be found later by memory_search. Note facts, decisions and open ends in full sentences. A long note becomes several pages.",
  input: z.strictObject({
    content: z
      .string()
      .min(1)
      .max(LIMITS.textChars)
      .describe("The note, as you will want to read it without its context."),
    importance: z
      .number()
      .min(0)
      .max(1)
      .default(LIMITS.importanceDefault)
      .describe("0 = passing, 1 = to be kept near before all else."),
  }),
  capability: "own.read",
  effect: "internal",
  timeoutMs: LIMITS.toolMs,
  run: ({ memory }, input) => {
    const noted = memory.note(input);
    return noted.ok ? ok({ pageIds: noted.value.map((page) => page.id) }) : noted;
  },
});

const memoryPin = syscall({
  name: "memory_pin",
  description: "Keep a page in the prompt until you unpin it. Pinned pages take room from everything else: pin few.",
  input: onePage,
  capability: "own.read",
  effect: "internal",
  timeoutMs: LIMITS.toolMs,
  run: (context, input) => patched(context, input.pageId, { pinned: true }),
});

const memoryUnpin = syscall({
  name: "memory_unpin",
  description: "Let a pinned page leave the prompt again. It stays in your memory.",
  input: onePage,
  capability: "own.read",
  effect: "internal",
  timeoutMs: LIMITS.toolMs,
  run: (context, input) => patched(context, input.pageId, { pinned: false }),
});

const memoryForget = syscall({
  name: "memory_forget",
  description: "Erase a page from your memory for good. Use it for what is wrong or must not be kept.",
  input: onePage,
  capability: "own.read",
  effect: "internal",
  timeoutMs: LIMITS.toolMs,
  run: ({ memory }, input) => {
    const forgotten = memory.forget(input.pageId);
    return forgotten.ok ? ok({ pageId: input.pageId, forgotten: true }) : forgotten;
  },
});

function patched({ memory }: CallContext, id: string, patch: PagePatch): Result<ToolValue> {
  const entry: Result<PageEntry> = memory.patch(id, patch);
  return entry.ok ? ok({ pageId: entry.value.id, pinned: entry.value.pinned }) : entry;
}

export const MEMORY_CALLS: readonly Syscall[] = [
  memorySearch,
  memoryRead,
  memoryNote,
  memoryPin,
  memoryUnpin,
  memoryForget,
];
