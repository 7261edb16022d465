/**
 * What the context tells the object's log, inside the transaction that does it.
 *
 * - `page.fault {minor, major, pageIds}`: pages came back into the prompt or, for `memory_read`, into SQLite.
 * - `page.evict {pages, tokens, pageIds}`: pages left the prompt; of many, the first ids only.
 * - `page.spill {pages, bytes}`: contents left SQLite; all of them are in segments.
 * - `page.segment {segmentId, key, owner, pages, bytes, sha256}`: a new segment: one row of the catalogue.
 * - `page.sweep {segmentIds}`: segments without pages were deleted: their rows leave the catalogue.
 */
export type NoteKind = "page.fault" | "page.evict" | "page.spill" | "page.segment" | "page.sweep";
export type Note = (kind: NoteKind, data: Record<string, unknown>) => void;
