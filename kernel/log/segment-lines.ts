import * as z from "zod";
import type { Hash, ObjectStore } from "../ports.ts";
import { type Break, type ChainEnd, type ChainRow, ChainWalk } from "./chain.ts";
import type { Log } from "./log.ts";

/**
 * Exported entries: one JSON object a line, with `data` as the text that was hashed. A segment holds a range of entries that
 * its core has fixed beforehand, so exporting it again writes the same bytes.
 */

const line = z.object({
  seq: z.int(),
  at: z.int(),
  kind: z.string(),
  callId: z.string().nullable(),
  actor: z.string(),
  data: z.string(),
  hash: z.string(),
});

/** Which entries a core wants exported: those after `after`, up to `upTo`, into the object `key`. */
export interface ArchiveOrder {
  after: ChainEnd;
  upTo: number;
  key: string;
}

/** What became of it. A chain that does not go on from where its last checkpoint left it is not exported. */
export type Archived = { broken: Break } | { broken: null; head: string; sha256: string };

export function lineOf({ seq, at, kind, callId, actor, data, hash }: ChainRow): string {
  return JSON.stringify({ seq, at, kind, callId, actor, data, hash });
}

/** Null for a line that is no entry. */
export function parseLine(text: string): ChainRow | null {
  try {
    return line.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** Puts the ordered entries into the object store, having walked their chain. */
export async function archive(
  log: Log,
  { objects, hash }: { objects: ObjectStore; hash: Hash },
  { after, upTo, key }: ArchiveOrder,
): Promise<Archived> {
  const walk = new ChainWalk(hash, after);
  const rows = log.rows(after.seq, upTo - after.seq).filter(({ seq }) => seq <= upTo);
  for (const row of rows) {
    const broken = walk.step(row);
    if (broken !== null) return { broken };
  }
  const { seq, hash: head } = walk.end;
  if (seq !== upTo) return { broken: { brokenAt: seq + 1, reason: `the chain was cut: it had come to entry ${upTo}` } };
  const bytes = new TextEncoder().encode(rows.map((row) => `${lineOf(row)}\n`).join(""));
  await objects.put(key, bytes);
  return { broken: null, head, sha256: hash.sha256(bytes) };
}
