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
const SENT_SEGMENTS = "DELETE FROM segments WHERE ordinal <= ?";
type SegmentOut = { ordinal: number; agent_id: string; row: string };
type SegmentNote = { segmentId: string; key: string; pages: number; bytes: number };

export class Projection {
  readonly #db: ReturnType<typeof drizzle>;
  readonly #sql: Sql;
  readonly #clock: Clock;
  readonly #tenant: string;
  readonly #scheduler: Scheduler;

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

  /** Sends one batch. `dueAt` is when cron has to wake this core; null = never. Throws when D1 does. */
  async send(dueAt: number | null): Promise<void> {
    const { counters, processes, ledger } = this.#scheduler;
    const changed = counters.get("changed");
    const limit = LIMITS.projectionBatchRows;
    const agents = processes.changedAfter(counters.get("projected.processes"), limit);
    const calls = ledger.changedAfter(counters.get("projected.calls"), limit);
    const segments = this.#segments();
    const statements = [
      ...agents.map((entry) => this.#agent(entry)),
      ...calls.filter((call) => call.state !== "open").map((call) => this.#call(call)),
      ...segments.flatMap((row) => this.#segment(row)),
      this.#due(dueAt),
    ];
    await this.#db.batch(statements as [BatchItem<"sqlite">, ...BatchItem<"sqlite">[]]);
    counters.set("projected.processes", cursorAfter(agents, limit, changed));
    counters.set("projected.calls", cursorAfter(calls, limit, changed));
    const last = segments.at(-1);
    if (last !== undefined) this.#sql.run(SENT_SEGMENTS, last.ordinal);
  }

  #segments(): SegmentOut[] {
    return this.#sql.all<SegmentOut>(SEGMENTS, 0, LIMITS.projectionBatchRows);
  }

  #agent(entry: ProcessEntry): BatchItem<"sqlite"> {
    if (entry.erased_at !== null) return this.#db.delete(d1.agents).where(expression`${d1.agents.id} = ${entry.id}`);
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
    return this.#db
      .insert(d1.agents)
      .values({ id: entry.id, ...row })
      .onConflictDoUpdate({
        target: d1.agents.id,
        set: row,
        setWhere: expression`${d1.agents.seq} <= ${entry.changed}`,
      });
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
      costNanoUsd: call.cost_nano_usd,
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

  #due(dueAt: number | null): BatchItem<"sqlite"> {
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
