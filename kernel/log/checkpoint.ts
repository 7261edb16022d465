import type { Hash } from "../ports.ts";
import type { ChainEnd } from "./chain.ts";

/**
 * A checkpoint says, outside of the object whose chain it is about, how far the chain had come and with which hash. It covers one
 * exported segment, names the checkpoint before it, and is signed when the kernel has a key. Formats are read for years.
 */

/** The chain of the tenant's core, among the ids of agents. */
export const CORE_CHAIN = "core";

/** What is signed. */
export interface Statement {
  tenant: string;
  /** An agent's id, or `core`. */
  object: string;
  /** The segment holds the entries from here to `seq`. */
  fromSeq: number;
  seq: number;
  /** Hash of entry `seq`. */
  head: string;
  /** Key of the segment in R2, and the SHA-256 of its bytes. */
  segment: string;
  segmentSha256: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** Digest of the checkpoint before; 64 zeros in the first. */
  previous: string;
  /** Of the key that signs; null = nobody does. */
  keyId: string | null;
}

export interface Checkpoint extends Statement {
  /** Base64; null when `keyId` is. */
  signature: string | null;
  /** When the retention removed the segment, and that signed; null = it is there. */
  removedAt: number | null;
  removalSignature: string | null;
}

const NAME = "aos-checkpoint-1";
const REMOVAL = "aos-removal-1";

/** The text that a checkpoint's signature is over. */
export function statementOf(it: Statement): string {
  const { tenant, object, fromSeq, seq, head, segment, segmentSha256, at, previous, keyId } = it;
  return `${NAME}\n${JSON.stringify([tenant, object, fromSeq, seq, head, segment, segmentSha256, at, previous, keyId])}`;
}

/** What the next checkpoint says of this one. */
export function digestOf(checkpoint: Checkpoint, hash: Hash): string {
  return hash.sha256(`${statementOf(checkpoint)}\n${checkpoint.signature ?? ""}`);
}

/** The text that is signed when the retention has removed a segment. */
export function removalOf(checkpoint: Checkpoint, removedAt: number, hash: Hash): string {
  return `${REMOVAL}\n${JSON.stringify([digestOf(checkpoint, hash), removedAt])}`;
}

export function endOf({ seq, head }: Pick<Statement, "seq" | "head">): ChainEnd {
  return { seq, hash: head };
}

/** Where the segment of these entries stands: one prefix a chain, in the order of the entries. */
export function segmentKey({ tenant, object, fromSeq, seq }: Pick<Statement, "tenant" | "object" | "fromSeq" | "seq">) {
  return `audit/${tenant}/${object}/${padded(fromSeq)}-${padded(seq)}.jsonl`;
}

function padded(seq: number): string {
  return String(seq).padStart(12, "0");
}
