import { err, ok, type Result } from "../errors.ts";
import type { FileEntry, FileRange, StorageDriver } from "./driver.ts";

/** A part of a text file, cut between characters and never inside one. Positions are bytes, as everywhere in storage. */
export interface TextRange {
  file: FileEntry;
  /** Where `content` starts: `range.offset`, or the start of the character that it stands in. */
  offset: number;
  content: string;
  /** Where to read on, or null at the end of the file. */
  nextOffset: number | null;
}

/** A UTF-8 character has at most this many bytes after its first. */
const TAIL_BYTES = 3;

function isTail(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0b1100_0000) === 0b1000_0000;
}

function charBytes(first: number): number {
  if (first >= 0b1111_0000) return 4;
  if (first >= 0b1110_0000) return 3;
  return first >= 0b1100_0000 ? 2 : 1;
}

/** The first byte of the character that `place` stands in. */
function charStart(bytes: Uint8Array, place: number): number {
  let start = place;
  while (start > 0 && place - start < TAIL_BYTES && isTail(bytes[start])) start--;
  return start;
}

/** The end of the last character that is whole. */
function charEnd(bytes: Uint8Array): number {
  const last = charStart(bytes, bytes.length - 1);
  const first = bytes[last];
  return first !== undefined && last + charBytes(first) > bytes.length ? last : bytes.length;
}

/** Null when the bytes are not UTF-8, or hold a NUL, as text does not. */
function decode(bytes: Uint8Array): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Reads at least one character, unless there is none; `range.length` is at least 4 bytes. Binary content is refused. */
export async function readText(files: StorageDriver, path: string, range: FileRange): Promise<Result<TextRange>> {
  const before = Math.min(range.offset, TAIL_BYTES);
  const got = await files.get(path, { offset: range.offset - before, length: range.length + before });
  if (!got.ok) return got;
  const { file, bytes } = got.value;
  const readEnd = Math.min(range.offset - before, file.bytes) + bytes.length;
  const start = charStart(bytes, Math.min(before, bytes.length));
  const end = readEnd < file.bytes ? charEnd(bytes) : bytes.length;
  const content = decode(bytes.subarray(start, end));
  if (content === null) {
    return err(
      "unsupported_media_type",
      `${file.path} (${file.bytes} bytes) is binary: only UTF-8 text can be read here.`,
    );
  }
  const nextOffset = readEnd - (bytes.length - end);
  return ok({
    file,
    content,
    offset: nextOffset - (end - start),
    nextOffset: nextOffset < file.bytes ? nextOffset : null,
  });
}
