import { type AuditKey, loadAuditKey } from "../../kernel/log/audit-key.ts";
import { type ChainRow, GENESIS, linkOf } from "../../kernel/log/chain.ts";
import { type Checkpoint, CORE_CHAIN, digestOf, segmentKey, statementOf } from "../../kernel/log/checkpoint.ts";
import { Log } from "../../kernel/log/log.ts";
import { lineOf } from "../../kernel/log/segment-lines.ts";
import { type TrailReport, verifyTrail, type Witness } from "../../kernel/log/verification.ts";
import type { Sql } from "../../kernel/ports.ts";
import { nodeHash, TestClock } from "./ports.ts";
import { value } from "./tenant.ts";

/**
 * A trail that stories edit: a log in an object's SQLite, its exported segments, its checkpoints as a kernel with a key makes
 * them, and what the core remembers. Verified by the kernel's own code.
 */

export const AUDIT_KEY = "a passphrase that only these tests know";

/** What an editor may get at. */
export interface Stored {
  rows: ChainRow[];
  segments: Map<string, string>;
  checkpoints: Checkpoint[];
}

const WIPE = "DELETE FROM log";
const INSERT = "INSERT INTO log (seq, at, kind, call_id, actor, data, hash) VALUES (?, ?, ?, ?, ?, ?, ?)";

/** `count` entries of the usual kinds, each with its hash. */
export function entries(count: number): ChainRow[] {
  const rows: ChainRow[] = [];
  for (let seq = 1; seq <= count; seq++) {
    const data = JSON.stringify({ name: "file_write", step: seq, ok: true, inputSha256: nodeHash.sha256(String(seq)) });
    rows.push({
      seq,
      at: 1_767_225_600_000 + seq,
      kind: "call.end",
      callId: `call_${seq}`,
      actor: "agent:agt_x",
      data,
      hash: "",
    });
  }
  return rehash(rows);
}

/** The rows with the hashes that they would have: what an editor does who knows how the chain is made. */
export function rehash(rows: readonly ChainRow[]): ChainRow[] {
  let previous = GENESIS.hash;
  return rows.map((row) => {
    previous = linkOf(previous, row, nodeHash);
    return { ...row, hash: previous };
  });
}

/** Segments and checkpoints of `rows`, `each` entries a checkpoint; what is left over has none yet. */
export async function sealed(rows: readonly ChainRow[], each: number, key: AuditKey | null): Promise<Stored> {
  const stored: Stored = { rows: [...rows], segments: new Map(), checkpoints: [] };
  let previous = GENESIS.hash;
  for (let from = 1; from + each - 1 <= rows.length; from += each) {
    const place = { tenant: "t-audit", object: CORE_CHAIN, fromSeq: from, seq: from + each - 1 };
    const text = rows
      .slice(from - 1, place.seq)
      .map((row) => `${lineOf(row)}\n`)
      .join("");
    const facts = {
      ...place,
      head: rows[place.seq - 1]?.hash ?? "",
      segment: segmentKey(place),
      segmentSha256: nodeHash.sha256(text),
      at: 1_767_225_600_000 + place.seq,
      previous,
      keyId: key?.id ?? null,
    };
    const signature = (await key?.sign(statementOf(facts))) ?? null;
    const checkpoint: Checkpoint = { ...facts, signature, removedAt: null, removalSignature: null };
    stored.segments.set(facts.segment, text);
    stored.checkpoints.push(checkpoint);
    previous = digestOf(checkpoint, nodeHash);
  }
  return stored;
}

/** What the core remembers of a trail that nobody has touched. */
export function witnessOf({ rows, checkpoints }: Stored): Witness {
  const [last, newest] = [rows.at(-1), checkpoints.at(-1)];
  return {
    reported: last === undefined ? null : { seq: last.seq, hash: last.hash },
    sealed: newest === undefined ? null : { seq: newest.seq, digest: digestOf(newest, nodeHash) },
    erased: false,
  };
}

/** The object's log holds these rows and no other. */
export function lay(sql: Sql, rows: readonly ChainRow[]): void {
  sql.transaction(() => {
    sql.run(WIPE);
    for (const row of rows) sql.run(INSERT, row.seq, row.at, row.kind, row.callId, row.actor, row.data, row.hash);
  });
}

/** Lays the rows in the object's log and verifies it with the rest. */
export async function verifyStored(
  sql: Sql,
  stored: Stored,
  { witness, key }: { witness: Witness; key: AuditKey | null },
): Promise<TrailReport> {
  lay(sql, stored.rows);
  const log = new Log({ sql, clock: new TestClock(), hash: nodeHash });
  const sources = {
    checkpoints: (async function* () {
      yield* stored.checkpoints;
    })(),
    segment: async (name: string) => stored.segments.get(name) ?? null,
    log: async (known: Parameters<Log["verify"]>[0]) => ({ ok: true as const, value: log.verify(known) }),
    witness,
  };
  return value(await verifyTrail(sources, { hash: nodeHash, key, expiredBefore: 0 }));
}

export async function testKey(text = AUDIT_KEY): Promise<AuditKey> {
  return value(await loadAuditKey(text));
}
