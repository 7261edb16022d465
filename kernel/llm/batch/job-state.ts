import * as z from "zod";
import { ERRORS, type ErrorCode, type KernelError } from "../../errors.ts";
import { usd } from "../../process/block.ts";
import type { JobRow } from "./job-tables.ts";

/** Where a batch job can be, and how the outside sees it. */

export const JOB_STATES = [
  "queued",
  "validating",
  "running",
  "finalizing",
  "completed",
  "failed",
  "expired",
  "cancelling",
  "cancelled",
] as const;
export type JobState = (typeof JOB_STATES)[number];

const FINAL: ReadonlySet<string> = new Set<JobState>(["completed", "failed", "expired", "cancelled"]);

/** Nothing will change any more, and the results can be read. */
export function isFinal(state: string): boolean {
  return FINAL.has(state);
}

const CODES = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];

export const batchView = z.object({
  id: z.string(),
  state: z.enum(JOB_STATES),
  progress: z
    .object({ total: z.int(), completed: z.int(), failed: z.int() })
    .meta({ description: "Requests: all, those with a reply, and those that ended without one." }),
  costNanoUsd: z.int().meta({ description: "Of the requests that have ended." }),
  costUsd: z.string(),
  error: z
    .object({ code: z.enum(CODES), message: z.string() })
    .nullable()
    .meta({ description: "What the job waits for, or why it failed as a whole." }),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().meta({ description: "Requests without an outcome by then end as expired, unbilled." }),
  finishedAt: z.iso.datetime().nullable(),
});
export type BatchView = z.infer<typeof batchView>;

export function viewOf(row: JobRow): BatchView {
  const error = row.error === null ? null : (JSON.parse(row.error) as KernelError);
  return {
    id: row.id,
    state: row.state === "uploading" ? "queued" : row.state,
    progress: { total: row.total, completed: row.completed, failed: row.failed },
    costNanoUsd: row.cost_nano_usd,
    costUsd: usd(row.cost_nano_usd),
    error: error === null ? null : { code: error.code, message: error.message },
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
    expiresAt: new Date(row.expires_at).toISOString(),
    finishedAt: row.finished_at === null ? null : new Date(row.finished_at).toISOString(),
  };
}
