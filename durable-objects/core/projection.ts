import { sql as expression } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { drizzle } from "drizzle-orm/d1";
import { LIMITS } from "../../kernel/limits.ts";
import type { Clock, Sql } from "../../kernel/ports.ts";
import type { LedgerCall } from "../../kernel/scheduler/ledger.ts";
import { blockOf, type ProcessEntry } from "../../kernel/scheduler/process-table.ts";
import type { Scheduler } from "../../kernel/scheduler/scheduler.ts";
import * as d1 from "../d1/schema.ts";

/**
 * The projection of a core to D1: changed processes, settled calls, the catalogue of cold segments, and when the core is
 * due next. At most `LIMITS.projectionBatchRows` rows a batch; a cursor moves only when D1 has answered, and every write is
 * an upsert, so a batch that is sent twice changes nothing.
 */

const SEGMENTS = "SELECT ordinal, agent_id, row FROM segments WHERE ordinal > ? ORDER BY ordinal LIMIT ?";
const FORGET_SEGMENTS = "DELETE FROM segments WHERE agent_id = ?";
const SENT_SEGMENTS = "DELETE FROM segments WHERE ordinal <= ?";
type SegmentOut = { ordinal: number; agent_id: string; row: string };
type SegmentNote = { segmentId: string; key: string; pages: number; bytes: number };

export class Projection {
  readonly #db: ReturnType<typeof drizzle>;
  readonly #sql: Sql;
  readonly #clock: Clock;
  readonly #tenant: string;
  readonly #scheduler: Scheduler;
  #sending: Promise<void> | null = null;

  constructor(database: D1Database, ports: { sql: Sql; clock: Clock }, tenant: string, scheduler: Scheduler) {
    this.#db = drizzle(database);
    this.#sql = ports.sql;
    this.#clock = ports.clock;
    this.#tenant = tenant;
    this.#scheduler = scheduler;
  }

  /** Whether something changed that D1 has not seen. */
  get dirty(): boolean {
    const { counters } = this.#scheduler;
    const changed = counters.get("changed");
    return (
      counters.get("projected.processes") < changed ||
      counters.get("projected.calls") < changed ||
      this.#segments().length > 0
    );
  }

  /**
   * Sends one batch, when D1 lacks anything; one at a time, so that no older one comes after it. `dueAt` says when cron has to
   * wake this core once the batch is there; null = never. Throws when D1 does.
   */
  send(dueAt: () => number | null): Promise<void> {
    this.#sending ??= this.#send(dueAt).finally(() => {
      this.#sending = null;
    });
    return this.#sending;
  }

  /** Has cron wake this core at its next tick. */
  async callCron(): Promise<void> {
    const now = this.#clock.now();
    await this.#due(now);
    this.#scheduler.counters.set("due", now);
  }

  /** Catalogue rows of an erased process that D1 has not seen: it never will. */
  forget(agentId: string): void {
    this.#sql.run(FORGET_SEGMENTS, agentId);
  }

  /** Whether what D1 holds as this core's due time would wake it for nothing, or too late. */
  #isStale(dueAt: number | null): boolean {
    const known = this.#scheduler.counters.get("due");
    if (dueAt === null) return known !== 0;
    return known === 0 || known > dueAt || known <= this.#clock.now();
  }

  async #send(due: () => number | null): Promise<void> {
    if (!this.dirty && !this.#isStale(due())) return;
    const dueAt = due();
    const { counters, processes, ledger } = this.#scheduler;
    const changed = counters.get("changed");
    const limit = LIMITS.projectionBatchRows;
    const agents = processes.changedAfter(counters.get("projected.processes"), limit);
    const calls = ledger.changedAfter(counters.get("projected.calls"), limit);
    const segments = this.#segments();
    const statements = [
      ...agents.flatMap((entry) => this.#agent(entry)),
      ...calls.filter((call) => call.state !== "open").map((call) => this.#call(call)),
      ...segments.flatMap((row) => this.#segment(row)),
      this.#due(dueAt),
    ];
    await this.#db.batch(statements as [BatchItem<"sqlite">, ...BatchItem<"sqlite">[]]);
    counters.set("due", dueAt ?? 0);
    counters.set("projected.processes", cursorAfter(agents, limit, changed));
    counters.set("projected.calls", cursorAfter(calls, limit, changed));
    const last = segments.at(-1);
    if (last !== undefined) this.#sql.run(SENT_SEGMENTS, last.ordinal);
  }

  #segments(): SegmentOut[] {
    return this.#sql.all<SegmentOut>(SEGMENTS, 0, LIMITS.projectionBatchRows);
  }

  #agent(entry: ProcessEntry): BatchItem<"sqlite">[] {
    if (entry.erased_at !== null) return this.#erased(entry.id);
    const block = blockOf(entry);
    const row = {
      tenant: this.#tenant,
      name: block.name,
      role: block.role,
      state: block.state,
      waitReason: block.waitReason,
      model: block.model,
      parentId: block.parentId,
      priority: block.priority,
      costNanoUsd: block.usage.costNanoUsd,
      promptTokens: block.usage.promptTokens,
      completionTokens: block.usage.completionTokens,
      steps: block.usage.steps,
      createdAt: Date.parse(block.createdAt),
      updatedAt: Date.parse(block.updatedAt),
      seq: entry.changed,
      asOf: this.#clock.now(),
    };
    return [
      this.#db
        .insert(d1.agents)
        .values({ id: entry.id, ...row })
        .onConflictDoUpdate({
          target: d1.agents.id,
          set: row,
          setWhere: expression`${d1.agents.seq} <= ${entry.changed}`,
        }),
    ];
  }

  /** Of an erased process D1 keeps the calls alone. */
  #erased(agentId: string): BatchItem<"sqlite">[] {
    return [
      this.#db.delete(d1.agents).where(expression`${d1.agents.id} = ${agentId}`),
      this.#db.delete(d1.segments).where(expression`${d1.segments.owner} = ${`${this.#tenant}/${agentId}`}`),
    ];
  }

  #call(call: LedgerCall): BatchItem<"sqlite"> {
    const row = {
      tenant: this.#tenant,
      agentId: call.agent_id,
      provider: call.provider,
      model: call.model,
      promptTokens: call.prompt_tokens,
      cachedTokens: call.cached_tokens,
      completionTokens: call.completion_tokens,
      reasoningTokens: call.reasoning_tokens,
      costNanoUsd: call.cost_nano_usd,
      price: call.price,
      state: call.state,
      at: call.settled_at ?? call.opened_at,
    };
    return this.#db
      .insert(d1.calls)
      .values({ callId: call.id, ...row })
      .onConflictDoUpdate({ target: d1.calls.callId, set: row });
  }

  #segment({ agent_id: agentId, row }: SegmentOut): BatchItem<"sqlite">[] {
    const { segmentId, key, pages, bytes } = JSON.parse(row) as SegmentNote;
    const owner = `${this.#tenant}/${agentId}`;
    return [
      this.#db
        .insert(d1.segments)
        .values({ segmentId, owner, key, pages, bytes, createdAt: this.#clock.now() })
        .onConflictDoNothing(),
    ];
  }

  #due(dueAt: number | null) {
    if (dueAt === null) return this.#db.delete(d1.cores).where(expression`${d1.cores.tenant} = ${this.#tenant}`);
    return this.#db
      .insert(d1.cores)
      .values({ tenant: this.#tenant, dueAt })
      .onConflictDoUpdate({ target: d1.cores.tenant, set: { dueAt } });
  }
}

/** A full batch ends at its last row; a short one has seen every change there was when it began. */
function cursorAfter(rows: { changed: number }[], limit: number, changed: number): number {
  return rows.length === limit ? (rows.at(-1)?.changed ?? changed) : changed;
}
