import type { Listing, ListOptions } from "../../../durable-objects/agent/rpc.ts";
import { askD1 } from "../../../durable-objects/d1/ask-d1.ts";
import { ok, type Result } from "../../../kernel/errors.ts";
import type { BatchView } from "../../../kernel/llm/batch/job-state.ts";
import type { Creation } from "./creations.ts";

/** The list of batch jobs, in D1. A row makes a job accepted; from then on its own object tells where it is. */

export interface BatchEntry {
  id: string;
  state: BatchView["state"];
  progress: BatchView["progress"];
  createdAt: string;
  /** When the job last told. */
  asOf: string;
}

type Row = {
  id: string;
  state: BatchView["state"];
  total: number;
  completed: number;
  failed: number;
  created_at: number;
  as_of: number;
};

const CREATE = `INSERT INTO batches (id, tenant, state, total, completed, failed, created_at, as_of)
  SELECT ?, ?, 'queued', ?, 0, 0, ?, ? WHERE TRUE`;
const LIST = "SELECT * FROM batches WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?";

/** A job that is not accepted yet, as the row that would make it so. */
export function newBatch(tenant: string, view: BatchView): Creation<BatchView> {
  const values = [view.id, tenant, view.progress.total, Date.parse(view.createdAt), Date.parse(view.updatedAt)];
  return { table: "batches", id: view.id, statement: CREATE, values, answer: view };
}

export class Batches {
  readonly #database: D1Database;

  constructor(database: D1Database) {
    this.#database = database;
  }

  /** The tenant's jobs, the oldest first. */
  async list(tenant: string, options: ListOptions): Promise<Result<Listing<BatchEntry>>> {
    const statement = this.#database.prepare(LIST).bind(tenant, options.cursor ?? "", options.limit + 1);
    const rows = await askD1(statement.all<Row>());
    if (!rows.ok) return rows;
    const items = rows.value.results.slice(0, options.limit).map(entryOf);
    return ok({ items, nextCursor: rows.value.results.length > options.limit ? (items.at(-1)?.id ?? null) : null });
  }
}

function entryOf({ id, state, total, completed, failed, created_at: createdAt, as_of: asOf }: Row): BatchEntry {
  const progress = { total, completed, failed };
  return { id, state, progress, createdAt: new Date(createdAt).toISOString(), asOf: new Date(asOf).toISOString() };
}
