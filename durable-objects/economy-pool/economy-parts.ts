import { LIMITS } from "../../kernel/limits.ts";
import { BatchDrivers } from "../../kernel/llm/batch/drivers.ts";
import type { CallersPort, EconomyParts } from "../../kernel/llm/batch/economy/economy-parts.ts";
import { EconomyTables } from "../../kernel/llm/batch/economy/economy-tables.ts";
import { makeProviders } from "../../kernel/llm/providers.ts";
import type { Sql } from "../../kernel/ports.ts";
import type { CallMessage } from "../../kernel/process/call-message.ts";
import { Transactions } from "../../kernel/transactions.ts";
import { within } from "../deadline.ts";
import { type ObjectEnv, variablesOf } from "../env.ts";
import { GatePasses } from "../gate-passes.ts";
import { systemClock, systemFetch } from "../ports.ts";
import { agentCalls } from "../stubs.ts";

/** One pool's parts, put together: the one place where its object chooses its drivers. */
export function economyParts(env: ObjectEnv, sql: Sql, names: { tenant: string; model: string }): EconomyParts {
  const passes = new GatePasses(env, "job");
  const enter = (model: string, tokens: number) =>
    passes.enter({ tenant: names.tenant, model, tokens }, LIMITS.jobGateMs);
  const variables = variablesOf(env);
  const providers = makeProviders(variables, systemFetch, systemClock);
  return {
    ...names,
    tx: new Transactions(sql),
    tables: new EconomyTables(sql),
    clock: systemClock,
    drivers: new BatchDrivers(variables, providers, { fetch: systemFetch, clock: systemClock, enter }),
    callers: callersPort(env),
  };
}

function callersPort(env: ObjectEnv): CallersPort {
  const agent = ({ tenant, agentId }: CallMessage) => agentCalls(env, tenant, agentId);
  return {
    claim: (message) => within(LIMITS.rpcMs, "claimCall", agent(message).claimCall(message, 1)),
    deliver: (message, outcome) =>
      within(LIMITS.rpcMs, "deliverCall", agent(message).deliverCall(message.callId, message.attempt, outcome)),
    decline: (message) =>
      within(LIMITS.rpcMs, "declineCall", agent(message).declineCall(message.callId, message.attempt)),
  };
}
