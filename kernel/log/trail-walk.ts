import type { Hash } from "../ports.ts";
import type { AuditKey } from "./audit-key.ts";
import { type Break, type ChainEnd, ChainWalk, GENESIS } from "./chain.ts";
import { type Checkpoint, digestOf, endOf, removalOf, statementOf } from "./checkpoint.ts";
import { parseLine } from "./segment-lines.ts";

/**
 * Goes along a chain's checkpoints and the segments that they cover, and finds whatever does not fit: a checkpoint that is missing,
 * changed or forged, a segment that is missing or changed, entries that are not those that were signed. After a finding it goes
 * on from the next checkpoint, so that one edit does not hide another.
 */

/** What does not fit, and in which of the three places. */
export interface Finding extends Break {
  where: "log" | "archive" | "checkpoint";
}

export interface TrailOptions {
  hash: Hash;
  /** Null = signatures cannot be verified. */
  key: AuditKey | null;
  /** Segments of checkpoints before this instant may be missing: the retention is removing them. */
  expiredBefore: number;
}

export class TrailWalk {
  readonly findings: Finding[] = [];
  /** Ends of all checkpoints, in order. */
  readonly known: ChainEnd[] = [];
  /** Checkpoints whose signature was verified, and those that a key signed which is not at hand. */
  verified = 0;
  foreign = 0;
  readonly #options: TrailOptions;
  #end = GENESIS;
  #digest = GENESIS.hash;
  #newest: Checkpoint | null = null;
  /** A segment was there: from then on none may be missing. */
  #archived = false;

  constructor(options: TrailOptions) {
    this.#options = options;
  }

  /** The end of the newest checkpoint, and its digest. */
  get end(): ChainEnd {
    return this.#end;
  }
  get digest(): string {
    return this.#digest;
  }
  get newest(): Checkpoint | null {
    return this.#newest;
  }

  /** The next checkpoint, with the text of its segment; null = there is none. */
  async step(checkpoint: Checkpoint, segment: string | null): Promise<void> {
    this.#follow(checkpoint);
    await this.#signed(checkpoint);
    if (segment !== null) this.#walk(checkpoint, segment);
    else if (!(await this.#mayBeMissing(checkpoint))) {
      this.found(
        "archive",
        checkpoint.fromSeq,
        `the exported entries ${rangeOf(checkpoint)} are missing: ${checkpoint.segment}`,
      );
    }
    this.#archived ||= segment !== null;
    this.#end = endOf(checkpoint);
    this.#digest = digestOf(checkpoint, this.#options.hash);
    this.#newest = checkpoint;
    this.known.push(this.#end);
  }

  found(where: Finding["where"], brokenAt: number, reason: string): void {
    this.findings.push({ where, brokenAt, reason });
  }

  #follow({ fromSeq, seq, previous }: Checkpoint): void {
    const next = this.#end.seq + 1;
    if (fromSeq !== next || seq < fromSeq) {
      this.found(
        "checkpoint",
        next,
        `a checkpoint is missing: after entry ${next - 1} comes the one of ${fromSeq} to ${seq}`,
      );
    } else if (previous !== this.#digest) {
      this.found(
        "checkpoint",
        next,
        `the checkpoint before entry ${next} is not the one that was there when the next was made`,
      );
    }
  }

  async #signed(checkpoint: Checkpoint): Promise<void> {
    const { keyId, signature, seq, fromSeq } = checkpoint;
    const { key } = this.#options;
    if ((keyId === null) !== (signature === null)) {
      return this.found(
        "checkpoint",
        fromSeq,
        `the checkpoint of entry ${seq} names no key and a signature, or the reverse`,
      );
    }
    if (keyId === null || signature === null) return;
    if (key?.id !== keyId) {
      this.foreign += 1;
    } else if (await key.verify(statementOf(checkpoint), signature)) {
      this.verified += 1;
    } else {
      this.found(
        "checkpoint",
        fromSeq,
        `the checkpoint of entry ${seq} was changed or forged: its signature does not fit`,
      );
    }
  }

  #walk(checkpoint: Checkpoint, segment: string): void {
    const { fromSeq, seq, head, segmentSha256 } = checkpoint;
    const { hash } = this.#options;
    const walk = new ChainWalk(hash, { seq: fromSeq - 1, hash: this.#end.hash });
    for (const line of segment.split("\n").slice(0, -1)) {
      const row = parseLine(line);
      const broken = row === null ? noEntry(walk) : walk.step(row);
      if (broken !== null) return this.found("archive", broken.brokenAt, `in the exported entries: ${broken.reason}`);
    }
    if (walk.end.seq !== seq || walk.end.hash !== head) {
      this.found("archive", fromSeq, `the exported entries ${rangeOf(checkpoint)} are not those of their checkpoint`);
    } else if (hash.sha256(segment) !== segmentSha256) {
      this.found("archive", fromSeq, `the bytes of the exported entries ${rangeOf(checkpoint)} were changed`);
    }
  }

  /** Removed by the retention: oldest first, and signed when the kernel has a key. */
  async #mayBeMissing(checkpoint: Checkpoint): Promise<boolean> {
    const { hash, key, expiredBefore } = this.#options;
    if (this.#archived) return false;
    if (checkpoint.at < expiredBefore) return true;
    if (checkpoint.removedAt === null) return false;
    if (key === null || checkpoint.keyId !== key.id) return true;
    const signature = checkpoint.removalSignature;
    return signature !== null && (await key.verify(removalOf(checkpoint, checkpoint.removedAt, hash), signature));
  }
}

function rangeOf({ fromSeq, seq }: Checkpoint): string {
  return `${fromSeq} to ${seq}`;
}

function noEntry(walk: ChainWalk): Break {
  const brokenAt = walk.end.seq + 1;
  return { brokenAt, reason: `entry ${brokenAt} is not readable` };
}
