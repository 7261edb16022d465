import type { AgentCalls, AgentOrders } from "./agent/rpc.ts";
import type { CoreGrants, CoreRpc, CoreVendors } from "./core/rpc.ts";
import type { EconomyPoolRpc } from "./economy-pool/rpc.ts";
import type { ObjectEnv } from "./env.ts";
import type { GateRpc } from "./provider-gate/rpc.ts";
import type { SharedFilesRpc } from "./shared-files/rpc.ts";

/**
 * The way from one object to another. The platform's stub types cannot express results that hold `unknown`, so each side
 * is seen through the interface that the class implements.
 */

export function agentOrders(env: ObjectEnv, tenant: string, agentId: string): AgentOrders {
  return env.AGENTS.getByName(`${tenant}/${agentId}`) as unknown as AgentOrders;
}

/** An agent, as an economy pool that makes its calls sees it. */
export function agentCalls(env: ObjectEnv, tenant: string, agentId: string): AgentCalls {
  return env.AGENTS.getByName(`${tenant}/${agentId}`) as unknown as AgentCalls;
}

/** The pool that takes the economy calls of one tenant to one model. */
export function economyPool(env: ObjectEnv, { tenant, model }: { tenant: string; model: string }): EconomyPoolRpc {
  return env.ECONOMY.getByName(`${tenant}/${model}`) as unknown as EconomyPoolRpc;
}

/** What the agents of one tenant share. */
export function sharedFiles(env: ObjectEnv, tenant: string): SharedFilesRpc {
  return env.SHARED.getByName(tenant) as unknown as SharedFilesRpc;
}

/** The core's door for calls that no agent makes. */
export function coreCalls(env: ObjectEnv, tenant: string): Pick<CoreRpc, "openCalls" | "settleCalls"> {
  return env.CORES.getByName(tenant) as unknown as CoreRpc;
}

export function coreGrants(env: ObjectEnv, tenant: string): CoreGrants {
  return env.CORES.getByName(tenant) as unknown as CoreGrants;
}

/** A tenant's core, as the gates of vendor accounts see it. */
export function coreVendors(env: ObjectEnv, tenant: string): CoreVendors {
  return env.CORES.getByName(tenant) as unknown as CoreVendors;
}

/** The gate of one vendor account, named after the provider. */
export function gateOf(env: ObjectEnv, provider: string): GateRpc {
  return env.GATES.getByName(provider) as unknown as GateRpc;
}
