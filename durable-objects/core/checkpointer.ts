import { err, ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { type AuditKey, isSigningKey, loadAuditKey } from "../../kernel/log/audit-key.ts";
import type { ChainEnd } from "../../kernel/log/chain.ts";
import {
  type Checkpoint,
  CORE_CHAIN,
  digestOf,
  removalOf,
  segmentKey,
  statementOf,
} from "../../kernel/log/checkpoint.ts";
import type { Log } from "../../kernel/log/log.ts";
import { type Archived, type ArchiveOrder, archive } from "../../kernel/log/segment-lines.ts";
import type { Witness } from "../../kernel/log/verification.ts";
import type { Clock, Hash, ObjectStore } from "../../kernel/ports.ts";
import type { Counters } from "../../kernel/scheduler/counters.ts";
import type { OpenSeal, Seal, Seals } from "../../kernel/scheduler/seals.ts";
import type { Transactions } from "../../kernel/transactions.ts";
import type { AgentOrders } from "../agent/rpc.ts";
import type { CheckpointTable } from "../d1/checkpoint-table.ts";
import { within } from "../deadline.ts";

/**
 * Has the tenant's chains exported and signs how far they have come: its own, and those of its agents, as they reported them. At
 * most one round a period, and none for a tenant where nothing happened; cron begins it, so that no alarm stands for it.
 *
 * Order: what is exported (here), the segment (R2), the checkpoint (D1), that it is covered (here). A crash in between makes the
 * same again.
 */

interface CheckpointerParts {
  tenant: string;
  clock: Clock;
  hash: Hash;
  tx: Transactions;
  log: Log;
  seals: Seals;
  counters: Counters;
  objects: ObjectStore;
  table: CheckpointTable;
  /** `AOS_AUDIT_KEY`; absent = checkpoints are not signed. */
  auditKey: string | undefined;
  agent: (agentId: string) => Pick<AgentOrders, "archive" | "dropLog">;
}

type Exported = { seal: OpenSeal; checkpoint: Checkpoint };

export class Checkpointer {
  readonly #parts: CheckpointerParts;
  #key: Promise<Result<AuditKey | null>> | null = null;
  #running: Promise<void> | null = null;

  constructor(parts: CheckpointerParts) {
    this.#parts = parts;
  }

  /** When the next round is due, in milliseconds since the epoch; null = everything is covered. */
  dueAt(): number | null {
    const { counters, clock, seals } = this.#parts;
    if (!seals.anyOpen && !this.#hasMoved()) return null;
    const last = counters.get("audit.at");
    return last === 0 ? clock.now() + LIMITS.auditPeriodMs : last + LIMITS.auditPeriodMs;
  }

  /** One round, when it is due. The first period begins with the first call. */
  async runIfDue(): Promise<void> {
    const { counters, clock } = this.#parts;
    if (counters.get("audit.at") === 0) counters.set("audit.at", clock.now());
    const due = this.dueAt();
    if (due !== null && due <= clock.now()) await this.run();
  }

  /** One round now; whoever asks while one is under way waits for that. */
  run(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Covers what is left of one chain. False when it has to be tried again; a broken chain is covered as far as it can be. */
  async seal(object: string): Promise<boolean> {
    for (let round = 0; round < LIMITS.auditSealSegments; round++) {
      const seal = this.#parts.seals.get(object);
      if (seal === null || !isOpen(seal)) return true;
      if (!(await this.#round([seal]))) return false;
    }
    return false;
  }

  /** Fixes that a chain is exported up to `end`. In the transaction of whoever knows it. */
  intend(object: string, end: ChainEnd): void {
    this.#parts.seals.close(object, null);
    this.#parts.seals.open(object, end.seq, end.hash, this.#parts.clock.now());
  }

  /** What the core remembers of a chain; `not_found` for one that it never had. */
  witness(object: string): Result<Witness> {
    const { seals, log } = this.#parts;
    const seal = seals.get(object);
    const sealed = seal === null || seal.seq === 0 ? null : { seq: seal.seq, digest: seal.digest };
    if (object === CORE_CHAIN) return ok({ reported: log.head(), sealed, erased: false });
    const known = seals.reported(object);
    if (known === null) return err("not_found", "There is no such agent.");
    return ok({ reported: known.end, sealed, erased: known.erased });
  }

  /** Removes segments of checkpoints before `before`, and what they hold from the logs. Answers whether nothing is left. */
  async retire(before: number): Promise<Result<{ done: boolean }>> {
    const { table, tenant } = this.#parts;
    const key = await this.#loadKey();
    if (!key.ok) return key;
    const old = await table.keptBefore(tenant, before);
    const newest = new Map(old.map(({ object, seq }) => [object, seq]));
    for (const [object, seq] of newest) {
      if (!(await this.#drop(object, seq))) return err("unavailable", `${object} did not drop its old entries`);
    }
    for (const checkpoint of old) await this.#remove(checkpoint, key.value);
    if (old.length > 0) this.#noteRetired(newest);
    return ok({ done: old.length < LIMITS.auditRetireRows });
  }

  async #run(): Promise<void> {
    this.#plan();
    for (let after = "", batch = 0; batch < LIMITS.auditBatches; batch++) {
      const open = this.#parts.seals.opened(after);
      if (open.length > 0) await this.#round(open);
      after = open.at(-1)?.object ?? after;
      if (open.length < LIMITS.auditBatchChains) break;
    }
    this.#parts.counters.set("audit.at", this.#parts.clock.now());
  }

  #hasMoved(): boolean {
    const { counters, seals, log } = this.#parts;
    const covered = seals.get(CORE_CHAIN)?.seq ?? 0;
    return log.head().seq > covered || counters.get("changed") > counters.get("audit.cursor");
  }

  /** Notes down what this round exports. */
  #plan(): void {
    const { tx, seals, counters, clock, log } = this.#parts;
    tx.run(() => {
      const now = clock.now();
      const changed = counters.get("changed");
      const moved = seals.moved(counters.get("audit.cursor"));
      for (const { id, seq, head } of moved) seals.open(id, seq, head, now);
      const cursor = moved.length < LIMITS.sweepRows ? changed : (moved.at(-1)?.changed ?? changed);
      counters.set("audit.cursor", cursor);
      const { seq, hash } = log.head();
      seals.open(CORE_CHAIN, seq, hash, now);
    });
  }

  /** One segment and checkpoint of each; false when one of them has to be tried again. */
  async #round(open: readonly OpenSeal[]): Promise<boolean> {
    const { table, tx, seals, hash } = this.#parts;
    const key = await this.#loadKey();
    if (!key.ok) return false;
    const exported: Exported[] = [];
    const line = open.values();
    let missed = 0;
    const work = async () => {
      for (let next = line.next(); !next.done; next = line.next()) {
        const one = await this.#export(next.value, key.value);
        if (one === "again") missed += 1;
        else if (one !== "ended") exported.push(one);
      }
    };
    await Promise.all(Array.from({ length: LIMITS.auditConcurrency }, work));
    if (exported.length === 0) return missed === 0;
    const checkpoints = exported.map(({ checkpoint }) => checkpoint);
    const put = await within(
      LIMITS.rpcMs,
      "checkpoints",
      table.put(checkpoints).then(() => true),
    );
    if (put === null) return false;
    tx.run(() => {
      for (const { seal, checkpoint } of exported) {
        seals.advance(seal, { seq: checkpoint.seq, hash: checkpoint.head }, digestOf(checkpoint, hash));
      }
    });
    return missed === 0;
  }

  async #export(seal: OpenSeal, key: AuditKey | null): Promise<Exported | "ended" | "again"> {
    const { tenant, seals } = this.#parts;
    const { object } = seal;
    const [fromSeq, seq] = [seal.seq + 1, Math.min(seal.up_to, seal.seq + LIMITS.auditSegmentRows)];
    const segment = segmentKey({ tenant, object, fromSeq, seq });
    const order = { after: { seq: seal.seq, hash: seal.head }, upTo: seq, key: segment };
    const archived = await within(LIMITS.rpcMs, "archive", this.#archive(object, order));
    if (archived === null) return "again";
    if (!archived.ok) {
      if (archived.error.code !== "not_found") return "again";
      seals.close(object, null);
      return "ended";
    }
    const broken = brokenOf(seal, seq, archived.value);
    if (broken !== null) return this.#broken(seal, broken);
    const { head, sha256: segmentSha256 } = archived.value as Extract<Archived, { broken: null }>;
    const keyId = key?.id ?? null;
    const facts = {
      tenant,
      object,
      fromSeq,
      seq,
      head,
      segment,
      segmentSha256,
      at: seal.at,
      previous: seal.digest,
      keyId,
    };
    const signature = (await key?.sign(statementOf(facts))) ?? null;
    return { seal, checkpoint: { ...facts, signature, removedAt: null, removalSignature: null } };
  }

  async #archive(object: string, order: ArchiveOrder): Promise<Result<Archived>> {
    const { agent, log, objects, hash } = this.#parts;
    return object === CORE_CHAIN ? ok(await archive(log, { objects, hash }, order)) : agent(object).archive(order);
  }

  /** Said once in the core's chain; the next report of the agent has it tried again. */
  #broken(
    { object, broken_at: before }: OpenSeal,
    { brokenAt, reason }: { brokenAt: number; reason: string },
  ): "ended" {
    const { tx, seals, log } = this.#parts;
    tx.run(() => {
      seals.close(object, brokenAt);
      if (before !== brokenAt) log.append("audit.broken", "kernel", { object, brokenAt, reason });
    });
    return "ended";
  }

  async #drop(object: string, seq: number): Promise<boolean> {
    const { agent, log, tx } = this.#parts;
    if (object === CORE_CHAIN) {
      tx.run(() => log.drop(seq));
      return true;
    }
    if (this.#parts.seals.reported(object)?.erased !== false) return true;
    const dropped = await within(LIMITS.rpcMs, "dropLog", agent(object).dropLog(seq));
    return dropped !== null && (dropped.ok || dropped.error.code === "not_found");
  }

  /** The segment first: until the checkpoint says that it is removed, its age excuses it. */
  async #remove(checkpoint: Checkpoint, key: AuditKey | null): Promise<void> {
    const { objects, table, clock, hash } = this.#parts;
    const at = clock.now();
    await objects.delete([checkpoint.segment]);
    await table.removed(checkpoint, at, (await key?.sign(removalOf(checkpoint, at, hash))) ?? null);
  }

  #noteRetired(newest: ReadonlyMap<string, number>): void {
    const { tx, log } = this.#parts;
    tx.run(() => {
      for (const [object, seq] of newest) log.append("audit.retired", "kernel", { object, upTo: seq });
    });
  }

  /** The key of `AOS_AUDIT_KEY`. Nothing is exported under a bad one: an unsigned checkpoint would be taken for the operator's wish. */
  #loadKey(): Promise<Result<AuditKey | null>> {
    this.#key ??= signingKeyOf(this.#parts.auditKey);
    return this.#key;
  }
}

/** The key that signs; null when none is configured. Says on the console what is wrong with a bad one. */
async function signingKeyOf(text: string | undefined): Promise<Result<AuditKey | null>> {
  if (text === undefined || text === "") return ok(null);
  const key = isSigningKey(text) ? await loadAuditKey(text) : err("invalid_input", "it cannot sign");
  if (!key.ok) console.error(JSON.stringify({ level: "error", event: "audit.key", message: key.error.message }));
  return key;
}

function isOpen(seal: Seal): seal is OpenSeal {
  return seal.up_to !== null;
}

function brokenOf(seal: OpenSeal, seq: number, archived: Archived) {
  if (archived.broken !== null) return archived.broken;
  if (seq < seal.up_to || seal.expected === null || seal.expected === archived.head) return null;
  const reason = `of the entries ${seal.seq + 1} to ${seq} at least one was changed after its object had reported them`;
  return { brokenAt: seal.seq + 1, reason };
}
