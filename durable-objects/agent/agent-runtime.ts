import { ContextManager } from "../../kernel/context/context-manager.ts";
import { IdempotencyKeys } from "../../kernel/idempotency.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { makeProviders } from "../../kernel/llm/providers.ts";
import { Log, type LogEntry } from "../../kernel/log/log.ts";
import { redactor, secretsOf } from "../../kernel/log/redaction.ts";
import type { PlatformMeter } from "../../kernel/platform/platform-meter.ts";
import { PLATFORM_PRICES } from "../../kernel/platform/platform-prices.ts";
import type { Sql } from "../../kernel/ports.ts";
import { Agent } from "../../kernel/process/agent.ts";
import { BatchCalls } from "../../kernel/process/batch-calls.ts";
import { ByHand } from "../../kernel/process/by-hand.ts";
import type { CallMessage } from "../../kernel/process/call-message.ts";
import { FileLabels } from "../../kernel/process/file-labels.ts";
import { AgentLoop } from "../../kernel/process/loop.ts";
import { Mailbox } from "../../kernel/process/mailbox.ts";
import type { AgentParts, AlarmPort, CallQueue, CorePort } from "../../kernel/process/parts.ts";
import { PendingCalls } from "../../kernel/process/pending.ts";
import { ProcFiles } from "../../kernel/process/proc-files.ts";
import { ProcessStore } from "../../kernel/process/process-store.ts";
import { countStripped } from "../../kernel/process/provenance.ts";
import { QuotaRoom } from "../../kernel/process/quota-room.ts";
import type { Stored } from "../../kernel/process/spec.ts";
import { Strays } from "../../kernel/process/strays.ts";
import { makeEgress } from "../../kernel/security/egress.ts";
import { labelOf } from "../../kernel/security/label.ts";
import { cpuMsOf } from "../../kernel/security/sandbox/gas.ts";
import type { Sandbox } from "../../kernel/security/sandbox/sandbox.ts";
import { SqliteStorage } from "../../kernel/storage/drivers/sqlite.ts";
import { Mounts } from "../../kernel/storage/mounts.ts";
import { PROC, SHARED, WORKSPACE } from "../../kernel/storage/path.ts";
import { SYSCALLS } from "../../kernel/syscalls/index.ts";
import { Transactions } from "../../kernel/transactions.ts";
import { VERSION } from "../../kernel/version.ts";
import { agentCredentials } from "../credentials/agent-credentials.ts";
import { within } from "../deadline.ts";
import { type ObjectEnv, variablesOf } from "../env.ts";
import { systemClock, systemFetch, systemHash, systemRandom } from "../ports.ts";
import { coreGrants, economyPool } from "../stubs.ts";
import { LiveReply } from "./live-text.ts";
import { R2ObjectStore } from "./r2-object-store.ts";
import { sandboxPort } from "./sandbox-port.ts";
import { sharedStorage } from "./shared-storage.ts";
import { Watchers } from "./watchers.ts";

/** One process's parts, put together: the one place where the agent's object chooses its drivers. */
export interface AgentRuntime {
  readonly parts: AgentParts;
  readonly agent: Agent;
  readonly byHand: ByHand;
  /** For the consumer of the calls queue. */
  readonly calls: BatchCalls;
  readonly loop: AgentLoop;
  readonly watchers: Watchers;
}

/** What the process needs to know of itself before its row can be read. */
export interface Facts {
  id: string;
  tenant: string;
  windowTokens: number;
  pageTokens: number;
  maxOutputTokens: number;
}

/** What the object lends its process. */
export interface Shell {
  readonly ctx: DurableObjectState;
  readonly env: ObjectEnv;
  readonly sql: Sql;
  readonly meter: PlatformMeter;
}

export function makeRuntime({ ctx, env, sql: storage, meter }: Shell, facts: Facts): AgentRuntime {
  const tx = new Transactions(storage);
  // Whoever opens a transaction opens one of `tx`, so that a rollback anywhere forgets what is cached everywhere.
  const sql: Sql = { ...storage, transaction: (work) => tx.run(work) };
  const ports = { sql, clock: systemClock, random: systemRandom, hash: systemHash };
  const written: LogEntry[] = [];
  const log = new Log(ports, (entry) => written.push(entry), redactor(secretsOf(variablesOf(env))));
  const process = new ProcessStore({ ...ports, meter }, log);
  const live = new LiveReply((frame) => watchers.show(frame));
  const watchers: Watchers = new Watchers(ctx, {
    log,
    ended: () => process.get().state === "terminated",
    snapshot: () => live.snapshot(),
  });
  tx.onRollback(() => {
    written.length = 0;
    log.forgetHead();
    process.forget();
  });
  tx.onCommit(() => watchers.publish(written.splice(0)));
  const stored = (): Stored => ({ ...context.stored(), ...workspace.stored() });
  const room = new QuotaRoom({ process, log, stored });
  const workspace = new SqliteStorage(ports, room);
  const context: ContextManager = new ContextManager(
    {
      ...ports,
      room,
      objects: new R2ObjectStore(env.PAGES, meter),
      read: () => labelOf(process.get().label),
      stripped: (count) => countStripped({ process }, count),
    },
    {
      owner: `${facts.tenant}/${facts.id}`,
      windowTokens: facts.windowTokens,
      pageTokens: facts.pageTokens,
      replacement: "lru",
      maxOutputTokens: facts.maxOutputTokens,
    },
    (kind, data) => log.append(kind, "kernel", data),
  );
  const parts: AgentParts = {
    ...ports,
    tx,
    log,
    process,
    context,
    live,
    mailbox: new Mailbox(ports),
    pending: new PendingCalls(sql),
    strays: new Strays(ports),
    idempotency: new IdempotencyKeys(ports),
    room,
    stored,
    fileLabels: new FileLabels(sql),
    platform: () => meter.usage(),
    files: new Mounts({
      [WORKSPACE]: workspace,
      [SHARED]: sharedStorage(env, facts.tenant, meter),
      [PROC]: new ProcFiles(() => parts),
    }),
    syscalls: SYSCALLS,
    providers: makeProviders(variablesOf(env), systemFetch),
    egress: makeEgress(variablesOf(env), {
      allowed: (input, init) => fetch(input, init),
      public: (input, init) => (env.PUBLIC_NETWORK ?? globalThis).fetch(input as string, init),
    }),
    credentials: agentCredentials(env, facts.tenant),
    sandbox: billedSandbox(sandboxPort(ctx), meter),
    core: corePort(env, facts.tenant, meter),
    calls: callQueue(env, meter),
    alarm: alarmPort(ctx, meter),
    version: VERSION,
  };
  const loop = new AgentLoop(parts);
  const agent = new Agent(parts, loop.door, () => loop.abort());
  return { parts, loop, watchers, agent, byHand: new ByHand(parts), calls: new BatchCalls(parts, loop.door) };
}

/** The core is asked on the process's account: it pays for the request and for the rows that the answer took. */
function corePort(env: ObjectEnv, tenant: string, meter: PlatformMeter): CorePort {
  const core = coreGrants(env, tenant);
  return {
    settleAndGrant: async (report, next) => {
      meter.add({ requests: 1 });
      const reply = await within(LIMITS.rpcMs, "settleAndGrant", core.settleAndGrant(report, next));
      meter.add(reply?.rows ?? {});
      return reply;
    },
    ruleFor: (agentId, asked) => {
      meter.add({ requests: 1 });
      return within(LIMITS.rpcMs, "ruleFor", core.ruleFor(agentId, asked));
    },
  };
}

/** Code runs in a Worker, whose CPU is what its gas stands for. */
function billedSandbox(sandbox: Sandbox, meter: PlatformMeter): Sandbox {
  return {
    run: async (program, host) => {
      const outcome = await sandbox.run(program, host);
      meter.add({ cpuMs: cpuMsOf(outcome.gas) });
      return outcome;
    },
  };
}

function callQueue(env: ObjectEnv, meter: PlatformMeter): CallQueue {
  const sent = (message: CallMessage): Promise<unknown> => {
    meter.add(
      message.lane === "economy" ? { requests: 1 } : { queueOperations: PLATFORM_PRICES.queueOperationsPerMessage },
    );
    return message.lane === "economy" ? economyPool(env, message).ask(message) : env.CALLS.send(message);
  };
  return {
    send: async (message) => void (await within(LIMITS.rpcMs, "send", sent(message))),
  };
}

/** Writes of the alarm join the transaction around them; nothing awaits, so nothing comes between. */
function alarmPort(ctx: DurableObjectState, meter: PlatformMeter): AlarmPort {
  return {
    set: (at) => {
      if (at === null) return void ctx.storage.deleteAlarm();
      meter.add({ rowsWritten: 1 });
      void ctx.storage.setAlarm(at);
    },
  };
}
