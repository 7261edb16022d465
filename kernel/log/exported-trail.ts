import * as z from "zod";
import { err, ok, type Result } from "../errors.ts";
import type { Hash } from "../ports.ts";
import type { AuditKey } from "./audit-key.ts";
import { type ChainEnd, type ChainRow, ChainWalk } from "./chain.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { lineOf, parseLine } from "./segment-lines.ts";
import { TrailWalk } from "./trail-walk.ts";
import { type TrailReport, trailReportOf } from "./verification.ts";

/**
 * A trail as one file, `GET /v1/audit/export`: JSON Lines. `{"export": ...}` first; then the entries of each segment and, behind
 * them, `{"checkpoint": ...}`; then the entries that no checkpoint covers yet; `{"end": ...}` last. Whoever has the file verifies it
 * without the kernel.
 */

export interface ExportHead {
  format: "aos-audit-1";
  tenant: string;
  /** An agent's id, or `core`. */
  object: string;
  /** RFC 3339. */
  exportedAt: string;
  /** PEM of the key that signs now; null when there is none, or it is a passphrase. */
  publicKey: string | null;
}

const head = z.object({
  export: z.object({
    format: z.literal("aos-audit-1"),
    tenant: z.string(),
    object: z.string(),
    exportedAt: z.string(),
  }),
});
const checkpointLine = z.object({
  checkpoint: z.object({
    tenant: z.string(),
    object: z.string(),
    fromSeq: z.int(),
    seq: z.int(),
    head: z.string(),
    segment: z.string(),
    segmentSha256: z.string(),
    at: z.int(),
    previous: z.string(),
    keyId: z.string().nullable(),
    signature: z.string().nullable(),
    removedAt: z.int().nullable(),
    removalSignature: z.string().nullable(),
  }),
});
const endLine = z.object({ end: z.object({ seq: z.int(), hash: z.string() }) });

export function headLine(export_: ExportHead): string {
  return `${JSON.stringify({ export: export_ })}\n`;
}

export function lineOfCheckpoint(checkpoint: Checkpoint): string {
  return `${JSON.stringify({ checkpoint })}\n`;
}

export function lineOfEnd({ seq, hash }: ChainEnd): string {
  return `${JSON.stringify({ end: { seq, hash } })}\n`;
}

/** With a `key`, the newest checkpoint has to be signed by it. `invalid_input` for a file that is no export. */
export async function verifyExport(
  lines: AsyncIterable<string> | Iterable<string>,
  { hash, key }: { hash: Hash; key: AuditKey | null },
): Promise<Result<TrailReport & { tenant: string; object: string }>> {
  const file = new ExportedTrail(hash, key);
  for await (const line of lines) if (line !== "") await file.line(line);
  return file.report();
}

class ExportedTrail {
  readonly #walk: TrailWalk;
  readonly #hash: Hash;
  readonly #key: AuditKey | null;
  #head: z.output<typeof head>["export"] | null = null;
  /** Lines of entries since the last checkpoint. */
  #lines: string[] = [];
  #end: ChainEnd | null = null;

  constructor(hash: Hash, key: AuditKey | null) {
    this.#hash = hash;
    this.#key = key;
    this.#walk = new TrailWalk({ hash, key, expiredBefore: 0 });
  }

  async line(text: string): Promise<void> {
    if (this.#head === null) {
      this.#head = parsed(head, text)?.export ?? null;
      return;
    }
    if (text.startsWith('{"checkpoint":')) return this.#checkpoint(text);
    if (text.startsWith('{"end":')) this.#end = parsed(endLine, text)?.end ?? null;
    else this.#lines.push(text);
  }

  report(): Result<TrailReport & { tenant: string; object: string }> {
    if (this.#head === null)
      return err("invalid_input", "The file is no audit export: its first line does not say so.");
    const tail = this.#tail();
    const { newest } = this.#walk;
    if (this.#key !== null && newest !== null && newest.keyId !== this.#key.id) {
      const signer = newest.keyId ?? "nobody";
      this.#walk.found(
        "checkpoint",
        newest.fromSeq,
        `the newest checkpoint is signed by ${signer}, not by ${this.#key.id}`,
      );
    }
    const { tenant, object } = this.#head;
    return ok({ tenant, object, ...trailReportOf(this.#walk, tail) });
  }

  async #checkpoint(text: string): Promise<void> {
    const checkpoint = parsed(checkpointLine, text)?.checkpoint;
    const { seq } = this.#walk.end;
    if (checkpoint === undefined) return this.#walk.found("checkpoint", seq + 1, "a checkpoint is not readable");
    const { tenant = "", object = "" } = this.#head ?? {};
    if (checkpoint.tenant !== tenant || checkpoint.object !== object) {
      this.#walk.found(
        "checkpoint",
        checkpoint.fromSeq,
        `the checkpoint of entry ${checkpoint.seq} is that of another chain`,
      );
    }
    const segment = this.#lines.splice(0).map((line) => `${line}\n`);
    await this.#walk.step(checkpoint, segment.length === 0 ? null : segment.join(""));
  }

  /** Walks what no checkpoint covers; answers the end of the file's chain. */
  #tail(): ChainEnd {
    const walk = new ChainWalk(this.#hash, this.#walk.end);
    for (const line of this.#lines) {
      const row = asWritten(line);
      const brokenAt = walk.end.seq + 1;
      const broken = row === null ? { brokenAt, reason: `entry ${brokenAt} is not readable` } : walk.step(row);
      if (broken === null) continue;
      this.#walk.found("log", broken.brokenAt, broken.reason);
      return walk.end;
    }
    const end = this.#end;
    if (end === null) this.#walk.found("log", walk.end.seq + 1, "the file was cut: it has no end");
    else if (end.seq !== walk.end.seq || end.hash !== walk.end.hash)
      this.#walk.found("log", walk.end.seq + 1, `the chain was cut: its end was entry ${end.seq}`);
    return walk.end;
  }
}

/** No digest covers the tail: a line that holds more than its entry could say something else to another reader of JSON. */
function asWritten(text: string): ChainRow | null {
  const row = parseLine(text);
  return row !== null && lineOf(row) === text ? row : null;
}

function parsed<T extends z.ZodType>(schema: T, text: string): z.output<T> | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
