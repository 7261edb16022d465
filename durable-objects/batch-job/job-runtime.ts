import { LIMITS } from "../../kernel/limits.ts";
import { BatchWork } from "../../kernel/llm/batch/batch-work.ts";
import { BatchDrivers } from "../../kernel/llm/batch/drivers.ts";
import type { CallsPort, JobParts } from "../../kernel/llm/batch/job-parts.ts";
import { JobTables } from "../../kernel/llm/batch/job-tables.ts";
import { makeProviders } from "../../kernel/llm/providers.ts";
import type { Sql } from "../../kernel/ports.ts";
import { Transactions } from "../../kernel/transactions.ts";
import { R2ObjectStore } from "../agent/r2-object-store.ts";
import { within } from "../deadline.ts";
import { type ObjectEnv, variablesOf } from "../env.ts";
import { GatePasses } from "../gate-passes.ts";
import { systemClock, systemFetch, systemHash } from "../ports.ts";
import { coreCalls } from "../stubs.ts";
import { JobList } from "./job-list.ts";

/** One job's parts, put together: the one place where its object chooses its drivers. */
export interface JobRuntime {
  readonly parts: JobParts;
  readonly list: JobList;
  readonly work: BatchWork;
}

export function makeJobRuntime(env: ObjectEnv, sql: Sql, tenant: string, jobId: string): JobRuntime {
  const passes = new GatePasses(env, "job");
  const enter = (model: string, tokens: number) => passes.enter({ tenant, model, tokens }, LIMITS.jobGateMs);
  const variables = variablesOf(env);
  const providers = makeProviders(variables, systemFetch, systemClock);
  const list = new JobList(env.DB);
  const tables = new JobTables(sql);
  const parts: JobParts = {
    tenant,
    tx: new Transactions(sql),
    tables,
    clock: systemClock,
    hash: systemHash,
    drivers: new BatchDrivers(variables, providers, { fetch: systemFetch, clock: systemClock, enter }),
    calls: callsPort(env, tenant, jobId, tables),
    list,
    objects: new R2ObjectStore(env.PAGES),
  };
  return { parts, list, work: new BatchWork(parts) };
}

/** The key that handed the job in pays for its calls. */
function callsPort(env: ObjectEnv, tenant: string, jobId: string, tables: JobTables): CallsPort {
  const core = () => coreCalls(env, tenant);
  return {
    open: (requests) =>
      within(LIMITS.bulkRpcMs, "openCalls", core().openCalls(`batch:${jobId}`, requests, tables.job().actor)),
    settle: (settlements) => within(LIMITS.bulkRpcMs, "settleCalls", core().settleCalls(settlements)),
  };
}
