import { WorkerEntrypoint } from "cloudflare:workers";
import { BOOT } from "../kernel/boot.ts";
import { createApp } from "./api/app.ts";
import { atBoot } from "./cron/boot.ts";
import { retireAudit } from "./cron/retire-audit.ts";
import { sweep } from "./cron/sweep.ts";
import { wakeBatches } from "./cron/wake-batches.ts";
import type { Env } from "./env.ts";
import { consume } from "./queues/queue.ts";

/** The stateless shell: what the platform calls, each handed on to the one module that does it. */

export { AgentProcess } from "../durable-objects/agent/agent-process.ts";
export { BatchJob } from "../durable-objects/batch-job/batch-job.ts";
export { KernelCore } from "../durable-objects/core/kernel-core.ts";
export { EconomyPool } from "../durable-objects/economy-pool/economy-pool.ts";
export { ProviderGate } from "../durable-objects/provider-gate/provider-gate.ts";
export { SharedFiles } from "../durable-objects/shared-files/shared-files.ts";

export { Sandbox } from "./sandbox/sandbox.ts";

const app = createApp();

/** The local runtime's socket: the same app, without the proxies that stand before a default export. */
export class Direct extends WorkerEntrypoint<Env> {
  override fetch(request: Request): Response | Promise<Response> {
    return app.fetch(request, this.env, this.ctx);
  }
}

export default {
  fetch: (request, env, ctx) => app.fetch(request, env, ctx),
  scheduled: async ({ cron, scheduledTime }, env) => {
    if (cron === BOOT) return atBoot(env, scheduledTime);
    await Promise.all([sweep(env, scheduledTime), wakeBatches(env, scheduledTime), retireAudit(env, scheduledTime)]);
  },
  queue: (batch, env) => consume(batch, env),
} satisfies ExportedHandler<Env>;
