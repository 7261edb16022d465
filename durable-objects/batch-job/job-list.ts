import { LIMITS } from "../../kernel/limits.ts";
import type { JobListPort } from "../../kernel/llm/batch/job-parts.ts";
import type { BatchView } from "../../kernel/llm/batch/job-state.ts";
import { within } from "../deadline.ts";

/** The list of jobs in D1, as a job's own object sees it. The row is made by whoever accepts the job, never here. */

const NOTE = "UPDATE batches SET state = ?, total = ?, completed = ?, failed = ?, as_of = ? WHERE id = ?";
const FORGET = "DELETE FROM batches WHERE id = ?";
const LISTED = "SELECT 1 AS one FROM batches WHERE id = ?";

export class JobList implements JobListPort {
  readonly #database: D1Database;

  constructor(database: D1Database) {
    this.#database = database;
  }

  async note({ id, state, progress, updatedAt }: BatchView): Promise<boolean> {
    const { total, completed, failed } = progress;
    const values = [state, total, completed, failed, Date.parse(updatedAt), id];
    const noted = this.#database
      .prepare(NOTE)
      .bind(...values)
      .run();
    return (await within(LIMITS.d1Ms, "note", noted)) !== null;
  }

  /** Takes the job off the list. False when D1 does not answer. */
  async forget(id: string): Promise<boolean> {
    return (await within(LIMITS.d1Ms, "forget", this.#database.prepare(FORGET).bind(id).run())) !== null;
  }

  /** Whether the job was accepted; null when D1 does not answer. */
  async knows(id: string): Promise<boolean | null> {
    const asked = this.#database.prepare(LISTED).bind(id).all();
    const found = await within(LIMITS.d1Ms, "list", asked);
    return found === null ? null : found.results.length > 0;
  }
}
