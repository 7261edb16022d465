import type { Result } from "../../kernel/errors.ts";
import type { BatchRequest } from "../../kernel/llm/batch/batch-request.ts";
import type { BatchView } from "../../kernel/llm/batch/job-state.ts";
import type { Actor } from "../agent/rpc.ts";

/** Where one part of the results stands in R2. */
export interface ResultPlace {
  key: string;
  /** Where it begins in the whole file, in bytes. */
  offset: number;
  bytes: number;
}

/**
 * What a `BatchJob` object answers by RPC. A job is handed over in chunks, then sealed, then started; one that is not started
 * (its client went away, or its Idempotency-Key was used before) erases itself. Every method but `begin` answers `not_found`
 * when no job was ever begun here.
 */
export interface BatchJobRpc {
  begin(actor: Actor): Promise<Result<null>>;
  /** Requests from `position` on. Again with the same ones changes nothing. */
  add(position: number, requests: readonly BatchRequest[]): Promise<Result<null>>;
  /** All `total` are here: how the job will look when it is accepted. */
  seal(total: number): Promise<Result<BatchView>>;
  /** The list names the job, so it is accepted. */
  start(): Promise<Result<BatchView>>;
  /** The job was not accepted. */
  discard(): Promise<Result<null>>;
  view(): Promise<Result<BatchView>>;
  /** `conflict` when it has ended. What is under way at a vendor ends there first. */
  cancel(): Promise<Result<BatchView>>;
  /** Cron heard nothing of the job for a while: its alarm may be lost. Harmless when it is not. */
  wake(): Promise<Result<null>>;
  /** `conflict` while it has not ended. */
  results(): Promise<Result<ResultPlace[]>>;
}
