import type { Hash } from "../ports.ts";
import type { PageRow } from "./page-table.ts";

/**
 * A segment: the pages of one spill in one immutable object. Contents stand one after the other, so that a page is one
 * ranged read; an index of the pages follows, so that a lost page table can be rebuilt from segments alone; the last eight
 * bytes say where the index starts.
 */

export interface PackedSegment {
  bytes: Uint8Array<ArrayBuffer>;
  sha256: string;
  /** Offset of each page's content, in the order given. */
  offsets: number[];
}

/** What the index keeps of a page: enough to lay its row again. */
export type SegmentIndex = (Pick<
  PageRow,
  "id" | "kind" | "bytes" | "sha256" | "importance" | "source" | "created_at"
> & {
  offset: number;
})[];

const TRAILER_BYTES = 8;

export function packSegment(pages: readonly { row: PageRow; content: string }[], hash: Hash): PackedSegment {
  const encoder = new TextEncoder();
  const offsets: number[] = [];
  let end = 0;
  for (const { row } of pages) {
    offsets.push(end);
    end += row.bytes;
  }
  const index = encoder.encode(JSON.stringify(pages.map(({ row }, i) => indexed(row, offsets[i] ?? 0))));
  const bytes = new Uint8Array(end + index.length + TRAILER_BYTES);
  pages.forEach(({ content }, i) => {
    encoder.encodeInto(content, bytes.subarray(offsets[i]));
  });
  bytes.set(index, end);
  new DataView(bytes.buffer).setFloat64(bytes.length - TRAILER_BYTES, end);
  return { bytes, offsets, sha256: hash.sha256(bytes) };
}

function indexed(row: PageRow, offset: number): SegmentIndex[number] {
  const { id, kind, bytes, sha256, importance, source, created_at } = row;
  return { id, kind, bytes, sha256, importance, source, created_at, offset };
}

/** The index of a whole segment's bytes. */
export function segmentIndex(bytes: Uint8Array): SegmentIndex {
  const end = bytes.length - TRAILER_BYTES;
  const start = new DataView(bytes.buffer, bytes.byteOffset).getFloat64(end);
  return JSON.parse(new TextDecoder().decode(bytes.subarray(start, end))) as SegmentIndex;
}
