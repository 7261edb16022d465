import { LIMITS } from "../../limits.ts";
import type { JobParts } from "./job-parts.ts";

/**
 * The results of a job that has ended: JSON Lines in the order of its requests, as objects of a few MiB that follow one
 * another, so that neither writing nor reading needs all of it in memory and any range can be read. An object's key follows
 * from its number: writing it again after a crash writes the same.
 */
const ENCODER = new TextEncoder();
const SLICE_ROWS = 100;

/** Where results stand that nobody has a name for yet: under the tenant, like everything that it keeps. */
export function resultKey(tenant: string, jobId: string, part: number): string {
  return `${tenant}/${jobId}/results/${String(part).padStart(5, "0")}.jsonl`;
}

/** Writes the next object. False = all are written. */
export async function writeResults({ tables, tenant, objects }: JobParts): Promise<boolean> {
  const before = tables.parts().at(-1);
  const { lines, last } = collect(tables, before?.last_position ?? -1);
  if (last === null) return false;
  const bytes = ENCODER.encode(lines);
  const part = (before?.part ?? -1) + 1;
  const key = resultKey(tenant, tables.job().id, part);
  await objects.put(key, bytes);
  const offset = (before?.offset ?? 0) + (before?.bytes ?? 0);
  tables.putPart({ part, key, offset, bytes: bytes.length, last_position: last });
  return true;
}

function collect(tables: JobParts["tables"], after: number): { lines: string; last: number | null } {
  let lines = "";
  let last: number | null = null;
  for (;;) {
    const rows = tables.results(last ?? after, SLICE_ROWS);
    for (const { position, result } of rows) {
      lines += `${result ?? ""}\n`;
      last = position;
      if (lines.length >= LIMITS.batchResultPartBytes) return { lines, last };
    }
    if (rows.length === 0) return { lines, last };
  }
}
