import { DurableObject } from "cloudflare:workers";
import { err, ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { BatchRequest } from "../../kernel/llm/batch/batch-request.ts";
import { type BatchView, isFinal, viewOf } from "../../kernel/llm/batch/job-state.ts";
import type { JobRow } from "../../kernel/llm/batch/job-tables.ts";
import type { Actor } from "../agent/rpc.ts";
import type { ObjectEnv } from "../env.ts";
import { isLaid, migrate } from "../migrations.ts";
import { sqlOf, systemClock } from "../ports.ts";
import { type JobRuntime, makeJobRuntime } from "./job-runtime.ts";
import { BATCH_JOB_MIGRATIONS } from "./migrations.ts";
import type { BatchJobRpc, ResultPlace } from "./rpc.ts";

const GONE = err("not_found", "There is no such batch.");

/**
 * One batch job (named `tenant/batchId`): the stateful shell around `kernel/llm/batch`. Only `alarm()` works; methods change
 * tables and set the alarm. The schema is laid when a job begins, and an object without one touches nothing.
 */
export class BatchJob extends DurableObject<ObjectEnv> implements BatchJobRpc {
  readonly #sql = sqlOf(this.ctx.storage);
  #runtime: JobRuntime | null = null;
  /** Aborted when nobody wants what is under way. */
  #wanted = new AbortController();

  async begin(actor: Actor): Promise<Result<null>> {
    const laid = migrate(this.#sql, BATCH_JOB_MIGRATIONS, systemClock.now());
    if (!laid.ok) return laid;
    const { parts } = this.#make();
    parts.tx.run(() => {
      if (parts.tables.find() !== null) return;
      parts.tables.create(this.#name.jobId, actor, systemClock.now());
      this.#wakeAt(systemClock.now() + LIMITS.batchUploadMs);
    });
    return ok(null);
  }

  async add(position: number, requests: readonly BatchRequest[]): Promise<Result<null>> {
    return this.#with(({ parts: { tx, tables } }, job) => {
      if (job.state !== "uploading") return err("conflict", "The batch is sealed.");
      tx.run(() => {
        for (const [index, request] of requests.entries()) tables.put(position + index, request);
      });
      return ok(null);
    });
  }

  async seal(total: number): Promise<Result<BatchView>> {
    return this.#with(({ parts: { tables } }) => {
      if (tables.size() !== total) return err("unavailable", "Not all requests have arrived; send the batch again.");
      tables.change({ total }, systemClock.now());
      return ok(viewOf(tables.job()));
    });
  }

  async start(): Promise<Result<BatchView>> {
    return this.#with(({ parts: { tx, tables } }, job) => {
      tx.run(() => {
        if (job.state === "uploading") tables.change({ state: "queued" }, systemClock.now());
        this.#wakeAt(systemClock.now());
      });
      return ok(viewOf(tables.job()));
    });
  }

  async discard(): Promise<Result<null>> {
    return this.#with(async (_runtime, job) => {
      if (job.state === "uploading") await this.#erase();
      return ok(null);
    });
  }

  async view(): Promise<Result<BatchView>> {
    return this.#with((_runtime, job) => (job.state === "uploading" && job.total === 0 ? GONE : ok(viewOf(job))));
  }

  async cancel(): Promise<Result<BatchView>> {
    return this.#with(({ parts: { tx, tables } }, job) => {
      if (isFinal(job.state) || job.state === "finalizing") return err("conflict", "The batch has ended.");
      tx.run(() => {
        tables.change({ state: "cancelling" }, systemClock.now());
        tables.hurry();
        this.#wakeAt(systemClock.now());
      });
      this.#wanted.abort();
      return ok(viewOf(tables.job()));
    });
  }

  async wake(): Promise<Result<null>> {
    return this.#with(({ parts: { tx, tables } }) => {
      tx.run(() => {
        tables.touch(systemClock.now());
        this.#wakeAt(systemClock.now());
      });
      return ok(null);
    });
  }

  async results(): Promise<Result<ResultPlace[]>> {
    return this.#with(({ parts: { tables } }, job) => {
      if (!isFinal(job.state))
        return err("conflict", `The batch is ${job.state}; its results are there when it has ended.`);
      return ok(tables.parts().map(({ key, offset, bytes }) => ({ key, offset, bytes })));
    });
  }

  /** The alarm stands at now while it works, so that a crash in the middle goes on as soon as the object is back. */
  override async alarm(): Promise<void> {
    if (!isLaid(this.#sql)) return;
    try {
      this.#wakeAt(systemClock.now());
      const due = await this.#work();
      if (due === null) await this.ctx.storage.deleteAlarm();
      else this.#wakeAt(due);
    } catch (cause) {
      console.error("a batch job broke", cause);
      this.#wakeAt(systemClock.now() + LIMITS.brokenSliceMs);
    }
  }

  /** When something is due next; null = never. */
  async #work(): Promise<number | null> {
    const laid = migrate(this.#sql, BATCH_JOB_MIGRATIONS, systemClock.now());
    if (!laid.ok) return systemClock.now() + LIMITS.batchPollMaxMs;
    const { parts, list, work } = this.#make();
    const job = parts.tables.find();
    if (job === null) return null;
    if (job.state === "uploading") return this.#decide(job, list);
    const due = await work.run(() => {
      this.#wanted = new AbortController();
      return this.#wanted.signal;
    });
    return due ?? this.#forget(parts, list);
  }

  /** A job that is over is kept for a while, then erased: first its results, last what names them. */
  async #forget({ tables, objects }: JobRuntime["parts"], list: JobRuntime["list"]): Promise<number | null> {
    const job = tables.job();
    const keptUntil = (job.finished_at ?? job.updated_at) + LIMITS.batchKeepMs;
    if (systemClock.now() < keptUntil) return keptUntil;
    const keys = tables.parts().map(({ key }) => key);
    for (let at = 0; at < keys.length; at += LIMITS.eraseKeys)
      await objects.delete(keys.slice(at, at + LIMITS.eraseKeys));
    if (!(await list.forget(job.id))) return systemClock.now() + LIMITS.requeueMs;
    await this.#erase();
    return null;
  }

  /** A job that was not started in time: its starter died, or it was never accepted. The list knows. */
  async #decide(job: JobRow, list: JobRuntime["list"]): Promise<number | null> {
    const left = job.created_at + LIMITS.batchUploadMs - systemClock.now();
    if (left > 0) return systemClock.now() + left;
    const isAccepted = await list.knows(job.id);
    if (isAccepted === null) return systemClock.now() + LIMITS.requeueMs;
    if (!isAccepted) await this.#erase();
    else await this.start();
    return isAccepted ? systemClock.now() : null;
  }

  async #erase(): Promise<void> {
    this.#runtime = null;
    await this.ctx.storage.deleteAll();
  }

  get #name(): { tenant: string; jobId: string } {
    const [tenant = "", jobId = ""] = (this.ctx.id.name ?? "").split("/");
    return { tenant, jobId };
  }

  #make(): JobRuntime {
    const { tenant, jobId } = this.#name;
    this.#runtime ??= makeJobRuntime(this.env, this.#sql, tenant, jobId);
    return this.#runtime;
  }

  /** Runs `work` on the job that lives here; `not_found` when none does. */
  async #with<T>(work: (runtime: JobRuntime, job: JobRow) => Result<T> | Promise<Result<T>>): Promise<Result<T>> {
    if (!isLaid(this.#sql)) return GONE;
    const laid = migrate(this.#sql, BATCH_JOB_MIGRATIONS, systemClock.now());
    if (!laid.ok) return laid;
    const runtime = this.#make();
    const job = runtime.parts.tables.find();
    return job === null ? GONE : await work(runtime, job);
  }

  #wakeAt(at: number): void {
    void this.ctx.storage.setAlarm(at);
  }
}
