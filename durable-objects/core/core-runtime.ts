import { IdempotencyKeys } from "../../kernel/idempotency.ts";
import { ACCOUNT_NAMES } from "../../kernel/llm/gate/account-limits.ts";
import { makeProviders, type Providers } from "../../kernel/llm/providers.ts";
import { Log } from "../../kernel/log/log.ts";
import { redactor, secretsOf } from "../../kernel/log/redaction.ts";
import type { Sql } from "../../kernel/ports.ts";
import { Scheduler } from "../../kernel/scheduler/scheduler.ts";
import { Seals } from "../../kernel/scheduler/seals.ts";
import { Transactions } from "../../kernel/transactions.ts";
import { R2ObjectStore } from "../agent/r2-object-store.ts";
import { CheckpointTable } from "../d1/checkpoint-table.ts";
import { type ObjectEnv, variablesOf } from "../env.ts";
import { systemClock, systemFetch, systemHash, systemRandom } from "../ports.ts";
import { agentOrders } from "../stubs.ts";
import { Agenda } from "./agenda.ts";
import { Approvals } from "./approvals.ts";
import { Checkpointer } from "./checkpointer.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Denials } from "./denials.ts";
import { DirectCalls } from "./direct-calls.ts";
import { Herald } from "./herald.ts";
import { KeyBudgets } from "./key-budgets.ts";
import { Outbox } from "./outbox.ts";
import { Projection } from "./projection.ts";
import { RuleBook } from "./rule-book.ts";
import { TenantBudgets } from "./tenant-budgets.ts";
import { VendorGates } from "./vendor-gates.ts";

/** One core's parts, put together. */
export interface CoreRuntime {
  readonly tx: Transactions;
  readonly log: Log;
  readonly scheduler: Scheduler;
  readonly tenantBudgets: TenantBudgets;
  readonly keyBudgets: KeyBudgets;
  readonly directCalls: DirectCalls;
  readonly idempotency: IdempotencyKeys;
  readonly approvals: Approvals;
  readonly rules: RuleBook;
  readonly agenda: Agenda;
  readonly checkpointer: Checkpointer;
  readonly denials: Denials;
  readonly outbox: Outbox;
  readonly herald: Herald;
  readonly vendors: VendorGates;
  readonly letters: DeadLetters;
  readonly projection: Projection;
  readonly providers: Providers;
}

export function makeCoreRuntime(env: ObjectEnv, sql: Sql, tenant: string): CoreRuntime {
  const ports = { sql, clock: systemClock, hash: systemHash, random: systemRandom };
  const tx = new Transactions(sql);
  const log = new Log(ports, () => {}, redactor(secretsOf(variablesOf(env))));
  tx.onRollback(() => log.forgetHead());
  const scheduler = new Scheduler(ports, log, ACCOUNT_NAMES);
  const rules = new RuleBook({ ...ports, tx, log, scheduler });
  const outbox = new Outbox(sql);
  const projection = new Projection(env.DB, ports, tenant, scheduler);
  const vendors = new VendorGates(env, tenant, scheduler);
  const checkpointer = new Checkpointer({
    ...ports,
    tenant,
    tx,
    log,
    seals: new Seals(sql),
    counters: scheduler.counters,
    objects: new R2ObjectStore(env.PAGES),
    table: new CheckpointTable(env.DB),
    auditKey: env.AOS_AUDIT_KEY,
    agent: (id) => agentOrders(env, tenant, id),
  });
  return {
    tx,
    log,
    scheduler,
    directCalls: new DirectCalls(tx, log, scheduler),
    keyBudgets: new KeyBudgets(scheduler),
    tenantBudgets: new TenantBudgets(systemClock, scheduler),
    idempotency: new IdempotencyKeys(ports),
    approvals: new Approvals({ tx, log, scheduler, rules, agent: (id) => agentOrders(env, tenant, id) }),
    rules,
    outbox,
    checkpointer,
    denials: new Denials(log, systemClock),
    agenda: new Agenda(systemClock, { scheduler, outbox, projection, vendors, checkpointer }),
    herald: new Herald({ env, tenant, tx, log, outbox, scheduler, checkpointer }),
    letters: new DeadLetters(ports),
    vendors,
    projection,
    // The core asks which models there are and what they cost; it calls none, so nothing leaves here past a gate.
    providers: makeProviders(variablesOf(env), systemFetch),
  };
}
