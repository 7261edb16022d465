import * as z from "zod";
import { LIMITS } from "../limits.ts";
import { label, labelInput } from "../security/label.ts";
import type { Blocks } from "../storage/blocks.ts";

/** A page: at most `pageTokens` of one origin. Its tier says where its content is, not what it is worth. */

export const TIERS = ["hot", "warm", "cold"] as const;
/** hot = in the prompt; warm = in the object's SQLite; cold = in an object-store segment. */
export type Tier = (typeof TIERS)[number];

/**
 * The origin of a page. `exchange` is one indivisible group: an assistant message with its tool calls, their results
 * and its reasoning, as a JSON array of chat messages. `reply` is an assistant's final answer.
 */
export const PAGE_KINDS = [
  "instructions",
  "goal",
  "message",
  "exchange",
  "reply",
  "tool_result",
  "document",
  "note",
] as const;
export type PageKind = (typeof PAGE_KINDS)[number];

/** none = it was hot; minor = it came from the object's SQLite; major = from the object store. */
export const FAULTS = ["none", "minor", "major"] as const;
export type Fault = (typeof FAULTS)[number];

export const pageEntry = z.object({
  id: z.string(),
  kind: z.enum(PAGE_KINDS),
  tier: z.enum(TIERS),
  /** Estimated tokens of the content. */
  tokens: z.int(),
  /** UTF-8 bytes of the content. */
  bytes: z.int(),
  /** Hex SHA-256 of the content's UTF-8. */
  sha256: z.string(),
  pinned: z.boolean(),
  /** 0-1. */
  importance: z.number(),
  /** Where the content came from: a file name, a URL, a tool; empty when unknown. */
  source: z.string(),
  /** Position among the agent's pages, by creation. */
  ordinal: z.int(),
  /** Where the content comes from, and who may see it. */
  label: label.optional(),
  createdAt: z.iso.datetime(),
});
export type PageEntry = z.infer<typeof pageEntry>;

export const pageWithContent = pageEntry.extend({ content: z.string() });
export type Page = z.infer<typeof pageWithContent>;

export const searchHit = z.object({
  id: z.string(),
  /** Higher is better; comparable within one answer only. */
  score: z.number(),
  snippet: z.string(),
  tier: z.enum(TIERS),
  source: z.string(),
});
export type SearchHit = z.infer<typeof searchHit>;

/** The body of `POST /v1/agents/{id}/pages`. */
export const pagesBody = z.strictObject({
  content: z.string().min(1),
  kind: z.enum(["document", "note"]).optional(),
  importance: z.number().min(0).max(1).optional(),
  pinned: z.boolean().optional(),
  /** Where the content came from, shown in citations. */
  source: z.string().max(LIMITS.filePathChars).optional(),
  /** Absent = `untrusted` and `private`: data of the tenant, and no orders. */
  ...labelInput,
});
export type PagesBody = z.infer<typeof pagesBody>;
/** The same once a long text has arrived. */
export type PagesInput = Omit<PagesBody, "content"> & { content: string | Blocks };
/** A text on its way from Worker to object: UTF-8, and how many bytes of it there are, because a stream that was cut may look ended. */
export interface TextStream {
  bytes: number;
  stream: ReadableStream<Uint8Array>;
}
/** The same between Worker and object. */
export type PagesMessage = Omit<PagesBody, "content"> & { content: string | TextStream };

export const pagePatch = z
  .strictObject({ pinned: z.boolean().optional(), importance: z.number().min(0).max(1).optional() })
  .refine((patch) => Object.keys(patch).length > 0, "name pinned or importance");
export type PagePatch = z.infer<typeof pagePatch>;
