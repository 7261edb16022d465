import * as z from "zod";
import { ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { ChainEnd } from "./chain.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { ChainReport } from "./log.ts";
import { type TrailOptions, TrailWalk } from "./trail-walk.ts";

/**
 * Verifying a trail: the log of an object, its exported segments, its checkpoints, and what its core remembers of them, each
 * against the others. Whoever edits one of them is found by the rest.
 */

export const finding = z.object({
  where: z.enum(["log", "archive", "checkpoint"]).meta({
    description: "The object's own log, the exported segments, or the checkpoints.",
  }),
  brokenAt: z.int(),
  reason: z.string(),
});

export const trailReport = z.object({
  ok: z.boolean(),
  entries: z.int().meta({ description: "Entries that fit, from the first that ever was." }),
  head: z.string().meta({ description: "Hash of the newest entry that fits." }),
  brokenAt: z.int().optional().meta({ description: "Sequence number of the first entry that does not fit." }),
  reason: z.string().optional().meta({ description: "What does not fit, in words." }),
  findings: z.array(finding).meta({ description: "All that does not fit, where the walk could go on behind it." }),
  checkpoints: z.object({
    count: z.int(),
    verified: z.int().meta({ description: "Those whose signature was verified." }),
    foreign: z.int().meta({ description: "Those signed by a key that this kernel does not have (any more)." }),
    seq: z.int().meta({ description: "The newest entry that a checkpoint covers." }),
    at: z.iso.datetime().nullable(),
    keyId: z.string().nullable().meta({ description: "Who signed the newest; null = nobody." }),
  }),
});
export type TrailReport = z.infer<typeof trailReport>;

/** What a core remembers of a chain. */
export interface Witness {
  /** As the object last reported it. */
  reported: ChainEnd | null;
  /** The newest checkpoint that the core has made. */
  sealed: { seq: number; digest: string } | null;
  /** The object is erased: only what was exported is left. */
  erased: boolean;
}

export interface TrailSources {
  /** In order. */
  checkpoints: AsyncIterable<Checkpoint>;
  /** The text of a segment, or null. */
  segment(key: string): Promise<string | null>;
  /** The object's own word about its log, with the places that are known of it. */
  log(known: readonly ChainEnd[]): Promise<Result<ChainReport>>;
  witness: Witness;
}

export async function verifyTrail(sources: TrailSources, options: TrailOptions): Promise<Result<TrailReport>> {
  const walk = new TrailWalk(options);
  for await (const checkpoint of sources.checkpoints) {
    if (walk.findings.length >= LIMITS.auditFindings) break;
    const isGone = checkpoint.removedAt !== null;
    await walk.step(checkpoint, isGone ? null : await sources.segment(checkpoint.segment));
  }
  const { witness } = sources;
  remembered(walk, witness);
  if (witness.erased) return ok(trailReportOf(walk, walk.end));
  const { reported } = witness;
  const live = await sources.log(
    reported === null || reported.seq <= walk.end.seq ? walk.known : [...walk.known, reported],
  );
  if (!live.ok) return live;
  const { entries, head, brokenAt, reason = "" } = live.value;
  if (brokenAt !== undefined) walk.found("log", brokenAt, reason);
  return ok(trailReportOf(walk, { seq: entries, hash: head }));
}

/** The report of a walk that has ended at `end`. */
export function trailReportOf(walk: TrailWalk, end: ChainEnd): TrailReport {
  const findings = walk.findings.toSorted((a, b) => a.brokenAt - b.brokenAt).slice(0, LIMITS.auditFindings);
  const [first] = findings;
  const { known, verified, foreign, newest } = walk;
  const at = newest === null ? null : new Date(newest.at).toISOString();
  return {
    ok: first === undefined,
    entries: end.seq,
    head: end.hash,
    ...(first === undefined ? {} : { brokenAt: first.brokenAt, reason: first.reason }),
    findings,
    checkpoints: { count: known.length, verified, foreign, seq: walk.end.seq, at, keyId: newest?.keyId ?? null },
  };
}

/** The newest checkpoint must be the one that the core has made last, or one that it was about to note down. */
function remembered(walk: TrailWalk, { sealed }: Witness): void {
  if (sealed === null || sealed.seq > walk.end.seq) {
    if (sealed === null) return;
    return walk.found(
      "checkpoint",
      walk.end.seq + 1,
      `a checkpoint is missing: the newest was that of entry ${sealed.seq}`,
    );
  }
  if (sealed.seq === walk.end.seq && sealed.digest !== walk.digest) {
    walk.found("checkpoint", walk.end.seq, `the checkpoint of entry ${sealed.seq} is not the one that was made`);
  }
}
