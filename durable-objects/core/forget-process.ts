import type { Actor } from "../agent/rpc.ts";
import { systemClock } from "../ports.ts";
import type { CoreRuntime } from "./core-runtime.ts";

/**
 * The core's part of erasing a process, in one transaction: what is left is a tombstone, the ledger, and the order that has the
 * agent's object close and wipe itself.
 */
export function forgetProcess(core: CoreRuntime, agentId: string, actor: Actor): void {
  const { scheduler, outbox, letters, projection, log, rules } = core;
  log.append("agent.erase", actor, { agentId });
  outbox.put(agentId, "ERASE");
  for (const child of scheduler.processes.children(agentId)) outbox.put(child, "KILL");
  scheduler.forgetStored(agentId);
  scheduler.processes.erase(agentId, systemClock.now(), scheduler.counters.next("changed"));
  scheduler.queue.remove(agentId);
  scheduler.slots.giveBack(agentId);
  scheduler.budgets.forget(agentId);
  scheduler.questions.forget(agentId);
  rules.forget(agentId);
  letters.forget(agentId);
  scheduler.quotaWaiters.remove(agentId);
  projection.forget(agentId);
}
